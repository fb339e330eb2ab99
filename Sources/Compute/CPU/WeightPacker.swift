import CKernels
package import Tensors

/// A weight in the layout of ck_gemm.h, or of ck_coded.h.
final class CPUPackedWeight: PackedWeight {
    /// Of codes: what they are widened to.
    let dtype: ck_dtype
    /// Written while the weight is packed only.
    let data: UnsafeMutableRawPointer
    let coded: CodedDescription?
    /// Whose memory it is.
    private let owner: AnyObject

    init(
        outputs: Int, inputs: Int, dtype: ck_dtype, format: WeightFormat, coded: CodedDescription? = nil,
        purpose: String
    ) throws(ComputeError) {
        let bytes = try Self.bytes(
            outputs: outputs, inputs: inputs, dtype: dtype, coded: coded, purpose: purpose)
        let region = try MemoryRegion(byteCount: bytes, purpose: purpose)
        self.dtype = dtype
        self.coded = coded
        owner = region
        data = region.base
        super.init(outputs: outputs, inputs: inputs, byteCount: bytes, format: format)
    }

    /// A weight that is packed already.
    ///
    /// - Parameter bytes: `byteCount` of them, as many as the weight has, 64-byte aligned, valid while `owner` lives.
    init(
        outputs: Int, inputs: Int, dtype: ck_dtype, format: WeightFormat, coded: CodedDescription?,
        bytes: UnsafeRawPointer, byteCount: Int, owner: AnyObject
    ) {
        self.dtype = dtype
        self.coded = coded
        self.owner = owner
        data = UnsafeMutableRawPointer(mutating: bytes)
        super.init(outputs: outputs, inputs: inputs, byteCount: byteCount, format: format)
    }

    static func bytes(
        outputs: Int, inputs: Int, dtype: ck_dtype, coded: CodedDescription?, purpose: String
    ) throws(ComputeError) -> Int {
        // The packed size exceeds the product by padding only.
        _ = try MemoryRegion.size(outputs + 64, inputs + 64, MemoryLayout<Float>.stride, purpose: purpose)
        return coded?.bytes(outputs: outputs) ?? ck_packed_bytes(dtype, Int64(outputs), Int64(inputs))
    }

    // See CPUMemory.swift.
    override init(outputs: Int, inputs: Int, byteCount: Int, format: WeightFormat) {
        preconditionFailure("a weight without memory")
    }
}

extension PackedWeight {
    var cpu: CPUPackedWeight {
        precondition(type(of: self) == CPUPackedWeight.self)
        return unsafeDowncast(self, to: CPUPackedWeight.self)
    }
}

extension CPUBackend {
    /// Bytes that `packWeight` needs for a weight of a floating type.
    package static func weightBytes(outputs: Int, inputs: Int, dtype: DType, format: WeightFormat) -> Int {
        if let bytes = FloatCoder.bytes(outputs: outputs, inputs: inputs, format) { return bytes }
        let stored = dtype.kernelType ?? CK_F32
        let type = format == .int8 ? CK_I8 : format == .int4 ? CK_I4 : stored
        return Int(ck_packed_bytes(type, Int64(outputs), Int64(inputs)))
    }

    package func packWeight(
        _ parts: [TensorView], as format: WeightFormat
    ) throws(ComputeError) -> PackedWeight {
        precondition(!parts.isEmpty && parts.allSatisfy { $0.shape.count == 2 })
        let (inputs, type) = (parts[0].shape[1], parts[0].dtype)
        precondition(parts.allSatisfy { $0.shape[1] == inputs && $0.dtype == type })
        guard let source = type.kernelType else {
            throw .unsupportedDType(tensor: parts[0].name, dtype: type, supported: DType.kernelTypes)
        }
        if let weight = try packCodes(parts, format) { return weight }
        let dtype: ck_dtype
        switch format {
        case .stored, .fp8, .mxfp4: dtype = source
        case .int8: dtype = CK_I8
        case .int4: dtype = CK_I4
        }
        let weight = try CPUPackedWeight(
            outputs: parts.reduce(0) { $0 + $1.shape[0] }, inputs: inputs, dtype: dtype, format: format,
            purpose: parts[0].name)
        pack(parts, into: weight)
        return weight
    }

    /// Source bytes that are packed at once, and then given back to the system.
    private static let slabBytes = 32 << 20

    /// Panels of a weight whose source is `bytes` a row, in runs.
    static func slabs(outputs: Int, rowBytes: Int) -> [Range<Int>] {
        let panels = (outputs + CK_PANEL - 1) / CK_PANEL
        let slab = max(1, slabBytes / max(1, rowBytes * CK_PANEL))
        return stride(from: 0, to: panels, by: slab).map { $0..<min(panels, $0 + slab) }
    }

    private func pack(_ parts: [TensorView], into weight: CPUPackedWeight) {
        guard let source = parts[0].dtype.kernelType else { return }
        let rowBytes = weight.inputs * parts[0].dtype.byteCount
        for slab in Self.slabs(outputs: weight.outputs, rowBytes: rowBytes) {
            var start = 0
            for part in parts {
                let rows = (slab.lowerBound * CK_PANEL..<slab.upperBound * CK_PANEL)
                    .clamped(to: start..<start + part.shape[0])
                let bytes = (rows.lowerBound - start) * rowBytes..<(rows.upperBound - start) * rowBytes
                start += part.shape[0]
                if rows.isEmpty { continue }
                var call = ck_pack_call(
                    dtype: weight.dtype, source_dtype: source,
                    source: UnsafeRawBufferPointer(rebasing: part.bytes[bytes]).baseAddress,
                    destination: weight.data, n: Int64(weight.outputs), k: Int64(weight.inputs),
                    first_row: Int64(rows.lowerBound), row_count: Int64(rows.count))
                let tasks = Int(ck_pack_tasks(&call))
                // Bound by page faults of source and destination, which differ from panel to panel.
                pool.run(kernels.gemm.pointee.pack, call, count: tasks, grain: 4, .onDemand)
                part.release(bytes)
            }
        }
    }
}
