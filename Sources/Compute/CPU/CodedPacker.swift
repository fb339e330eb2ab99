import CKernels
package import Tensors

/// What the kernels know of a weight of codes (ck_coded.h), at an address of its own.
final class CodedDescription {
    let pointer: UnsafeMutablePointer<ck_coded>
    private let groupOfInput: UnsafeMutablePointer<Int32>

    /// - Returns: nil for codes that no kernel reads.
    convenience init?(_ form: CodeForm, inputs: Int, groups: Int, groupOfInput: [Int32]) {
        precondition(groupOfInput.count == inputs)
        let factors: ck_factors
        switch form.factors {
        case .float32: factors = CK_FACTORS_F32
        case .float16: factors = CK_FACTORS_F16
        case .bfloat16: factors = CK_FACTORS_BF16
        case .int8: factors = CK_FACTORS_TWO_LEVEL
        default: return nil
        }
        var coded = ck_coded()
        switch form.codes {
        case .fourBits(let numbers):
            precondition(numbers.count == 16)
            coded.codes = CK_CODES_4
            withUnsafeMutableBytes(of: &coded.table) { table in
                numbers.withUnsafeBytes { table.copyMemory(from: $0) }
            }
        case .int8: coded.codes = CK_CODES_8
        case .float8e4m3: coded.codes = CK_CODES_E4M3
        case .table: return nil
        }
        coded.factors = factors
        coded.has_zeros = form.hasZeros
        coded.has_offsets = form.hasOffsets
        self.init(coded, groups: groups, groupOfInput: groupOfInput)
    }

    /// - Parameter coded: what neither depends on the number of inputs nor is a pointer.
    init(_ coded: ck_coded, groups: Int, groupOfInput: [Int32]) {
        let inputs = groupOfInput.count
        self.groupOfInput = .allocate(capacity: inputs)
        self.groupOfInput.initialize(from: groupOfInput, count: inputs)
        pointer = .allocate(capacity: 1)
        pointer.initialize(to: coded)
        pointer.pointee.k = Int64(inputs)
        pointer.pointee.groups = Int64(groups)
        pointer.pointee.group_of = UnsafePointer(self.groupOfInput)
    }

    deinit {
        pointer.deallocate()
        groupOfInput.deallocate()
    }

    func bytes(outputs: Int) -> Int { Int(ck_coded_bytes(pointer, Int64(outputs))) }
}

extension CPUBackend {
    /// Bytes of a weight of codes in memory; nil where it would be widened: no kernel reads its codes, or they would take
    /// more memory than the numbers themselves.
    package static func codedBytes(_ parts: [any CodedMatrix], widenedTo dtype: DType) -> Int? {
        let outputs = parts.reduce(0) { $0 + $1.outputs }
        if let first = parts.first, parts.allSatisfy(\.quantizesInputs) {
            return Int(ck_packed_bytes(CK_I8, Int64(outputs), Int64(first.inputs)))
        }
        return description(parts, widenedTo: dtype)?.bytes(outputs: outputs)
    }

    private static func description(_ parts: [any CodedMatrix], widenedTo dtype: DType) -> CodedDescription? {
        guard let first = parts.first, let type = dtype.kernelType else { return nil }
        let groupOfInput = first.groupOfInput
        // Scales that lie alike can be read alike.
        let alike = parts.dropFirst().allSatisfy {
            $0.inputs == first.inputs && $0.form == first.form && $0.groups == first.groups
                && $0.groupOfInput == groupOfInput
        }
        guard alike, first.inputs > 0,
            let description = CodedDescription(
                first.form, inputs: first.inputs, groups: first.groups, groupOfInput: groupOfInput)
        else { return nil }
        let outputs = parts.reduce(0) { $0 + $1.outputs }
        let widened = Int(ck_packed_bytes(type, Int64(outputs), Int64(first.inputs)))
        return description.bytes(outputs: outputs) < widened ? description : nil
    }

    package func packCoded(
        _ parts: [any CodedMatrix], widenedTo dtype: DType, name: String
    ) throws(ComputeError) -> PackedWeight? {
        if parts.allSatisfy(\.quantizesInputs) {
            return try pack(parts, nil, type: CK_I8, widenedTo: dtype, format: .int8, name: name).weight
        }
        guard let type = dtype.kernelType, let description = Self.description(parts, widenedTo: dtype) else {
            return nil
        }
        let (weight, fits) = try pack(
            parts, description, type: type, widenedTo: dtype, format: .stored, name: name)
        // Whoever widens it finds the number and names it.
        return fits ? weight : nil
    }

    /// Weights that are quantized to codes while they are read: no number leaves the range of the type it comes in.
    ///
    /// - Returns: nil for a format that is no codes.
    func packCodes(_ parts: [TensorView], _ format: WeightFormat) throws(ComputeError) -> PackedWeight? {
        let coders = parts.compactMap { FloatCoder($0, format) }
        guard let first = coders.first, coders.count == parts.count, let type = parts[0].dtype.kernelType,
            let description = CodedDescription(
                first.form, inputs: first.inputs, groups: first.groups, groupOfInput: first.groupOfInput)
        else { return nil }
        return try pack(
            coders, description, type: type, widenedTo: parts[0].dtype, format: format, name: parts[0].name
        ).weight
    }

    /// - Parameter description: nil for codes that are bytes of ck_gemm.h's i8.
    /// - Returns: also whether all numbers fit the type, as far as scales tell.
    private func pack(
        _ parts: [any CodedMatrix], _ description: CodedDescription?, type: ck_dtype, widenedTo dtype: DType,
        format: WeightFormat, name: String
    ) throws(ComputeError) -> (weight: PackedWeight, fits: Bool) {
        let outputs = parts.reduce(0) { $0 + $1.outputs }
        let weight = try CPUPackedWeight(
            outputs: outputs, inputs: parts[0].inputs, dtype: type, format: format, coded: description, purpose: name)
        let panels = (outputs + CK_PANEL - 1) / CK_PANEL
        // Of each panel, so that workers write apart.
        var fits = [Bool](repeating: true, count: panels)
        fits.withUnsafeMutableBufferPointer { fits in
            nonisolated(unsafe) let fits = fits
            func pieces(_ panels: Range<Int>) -> [(part: any CodedMatrix, start: Int, rows: Range<Int>)] {
                var start = 0
                return parts.map { part in
                    defer { start += part.outputs }
                    let rows = panels.lowerBound * CK_PANEL..<panels.upperBound * CK_PANEL
                    return (part, start, rows.clamped(to: start..<start + part.outputs))
                }.filter { !$0.rows.isEmpty }
            }
            for slab in Self.slabs(outputs: outputs, rowBytes: parts[0].inputs) {
                pool.forEach(slab.count) { index, _ in
                    let panel = slab.lowerBound + index
                    for piece in pieces(panel..<panel + 1)
                    where !Self.pack(piece.rows, of: piece.part, from: piece.start, into: weight, description, dtype) {
                        fits[panel] = false
                    }
                }
                for piece in pieces(slab) {
                    piece.part.release(
                        piece.rows.lowerBound - piece.start..<piece.rows.upperBound - piece.start)
                }
            }
        }
        return (weight, fits.allSatisfy { $0 })
    }

    /// Places rows of the whole weight that lie in one panel and in one part, which begins at row `start`.
    private static func pack(
        _ rows: Range<Int>, of part: any CodedMatrix, from start: Int, into weight: CPUPackedWeight,
        _ description: CodedDescription?, _ dtype: DType
    ) -> Bool {
        let read = CodedRows(part, count: rows.count)
        part.read(from: rows.lowerBound - start, into: read)
        let (panel, lane) = rows.lowerBound.quotientAndRemainder(dividingBy: CK_PANEL)
        guard let description else {
            let panelBytes = Int(ck_packed_bytes(CK_I8, 1, Int64(weight.inputs)))
            withExtendedLifetime(read) {
                ck_place_i8(
                    read.codes.baseAddress, read.scales.baseAddress, Int64(rows.count), Int64(weight.inputs),
                    weight.data.assumingMemoryBound(to: UInt8.self) + panel * panelBytes, Int64(lane))
            }
            return true
        }
        var call = ck_pack_coded_call(
            coded: description.pointer, codes: read.codes.baseAddress, scales: read.scales.baseAddress,
            zeros: read.zeros.baseAddress, offsets: read.offsets.baseAddress,
            block_scales: read.blockScales.baseAddress, block_offsets: read.blockOffsets.baseAddress,
            panel: weight.data.assumingMemoryBound(to: UInt8.self) + panel * description.bytes(outputs: 1),
            first_lane: Int64(lane), count: Int64(rows.count))
        withExtendedLifetime(read) { ck_pack_coded(&call) }
        return part.fits(read, within: dtype.largest)
    }
}

extension DType {
    /// The largest number of a floating type.
    fileprivate var largest: Float {
        switch self {
        case .float16: 65504
        case .bfloat16: 0x1.fep127
        default: .greatestFiniteMagnitude
        }
    }
}
