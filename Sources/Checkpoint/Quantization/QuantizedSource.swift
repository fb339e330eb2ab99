import Tensors

/// A quantized checkpoint seen as an ordinary one: the parts of each quantized matrix appear as one tensor with the name
/// and the numbers of the matrix they stand for. The scheme is a property of each matrix, found by its tensors' names,
/// types and shapes, so layers, experts and gates may each have their own or none.
final class QuantizedSource: WeightSource {
    let description: String
    let names: [String]
    private let base: any WeightSource
    private let config: QuantizationConfig
    private let groups: [String: Group]

    /// The tensors that make up one matrix.
    private struct Group {
        let stem: String
        let kind: Kind
        var parts: [String] = []
        var information: TensorInformation?
    }

    private enum Kind {
        case gptq, awq
        case scaled(String)
        case packedInteger
        case fp4(codes: String, scales: String, tensorScale: FP4Matrix.TensorScale)
        case bitsAndBytes(String)
    }

    /// Parts beside the codes; also such as say something of activations or of the KV cache, which is not asked for.
    private static let companions = [
        ".qweight", ".qzeros", ".scales", ".g_idx", ".weight_packed", ".weight_scale", ".weight_shape",
        ".weight_zero_point", ".weight_g_idx", ".weight_global_scale", ".weight_scale_2", ".weight_scale_inv", ".SCB",
        ".weight_format", ".input_scale", ".input_global_scale", ".input_zero_point", ".activation_scale",
        ".k_scale", ".v_scale", ".output_scale",
    ]

    /// Rows that are decoded at once: enough that a word of a column-wise layout is fetched once for several rows.
    private static let rowsAtOnce = 16

    /// - Throws: `malformedTensor` for parts that lie around a matrix but do not make one up.
    init(_ base: any WeightSource, _ config: QuantizationConfig) throws(CheckpointError) {
        self.base = base
        self.config = config
        description = base.description
        var groups: [String: Group] = [:]
        var consumed = Set<String>()
        for name in base.names {
            guard let (stem, kind) = Self.kind(name, base, config) else { continue }
            groups[stem + ".weight"] = Group(stem: stem, kind: kind)
        }
        for name in base.names {
            guard let stem = Self.stem(name), groups[stem + ".weight"] != nil else { continue }
            groups[stem + ".weight"]?.parts.append(name)
            consumed.insert(name)
        }
        // Every matrix is checked now, so that a damaged one is reported before the first is packed.
        for (name, group) in groups { groups[name]?.information = try Self.information(group, base, config) }
        self.groups = groups
        // Scales of activations and of the KV cache also stand beside matrices that are not quantized.
        let remaining = base.names.filter { !consumed.contains($0) && Self.matrixCompanion($0) == nil }
        names = (remaining + groups.keys).sorted()
    }

    private static func matrixCompanion(_ name: String) -> String? {
        companions.suffix(8).first { name.hasSuffix($0) }
    }

    /// The module that a part belongs to; nil for other tensors.
    private static func stem(_ name: String) -> String? {
        if name.hasSuffix(".weight") { return String(name.dropLast(".weight".count)) }
        if let suffix = companions.first(where: name.hasSuffix) { return String(name.dropLast(suffix.count)) }
        // bitsandbytes: q_proj.weight.absmax and others
        if let range = name.ranges(of: ".weight.").last { return String(name[..<range.lowerBound]) }
        return nil
    }

    /// The matrix that this tensor holds the codes of.
    private static func kind(
        _ name: String, _ source: any WeightSource, _ config: QuantizationConfig
    ) -> (stem: String, kind: Kind)? {
        guard let stem = stem(name), let type = source.information(name)?.dtype else { return nil }
        func has(_ suffix: String) -> Bool { source.information(stem + suffix) != nil }
        if name == stem + ".qweight" { return (stem, config.method == .awq ? .awq : .gptq) }
        if name == stem + ".weight_packed" {
            guard type == .uint8 else { return (stem, .packedInteger) }
            return (
                stem,
                .fp4(
                    codes: ".weight_packed", scales: ".weight_scale",
                    tensorScale: has(".weight_global_scale") ? .divides(".weight_global_scale") : .none)
            )
        }
        guard name == stem + ".weight", !type.isFloatingPoint else { return nil }
        if let state = BitsAndBytesMatrix.states.first(where: has) { return (stem, .bitsAndBytes(state)) }
        if type == .uint8, has(".weight_scale") {
            return (
                stem,
                .fp4(
                    codes: ".weight", scales: ".weight_scale",
                    tensorScale: has(".weight_scale_2") ? .multiplies(".weight_scale_2") : .none)
            )
        }
        return [".weight_scale_inv", ".weight_scale", ".SCB"].first(where: has).map { (stem, .scaled($0)) }
    }

    private static func matrix(
        _ group: Group, _ source: any WeightSource, _ config: QuantizationConfig
    ) throws(CheckpointError) -> any QuantizedMatrix {
        let parts = QuantizedParts(source: source, stem: group.stem)
        switch group.kind {
        case .gptq: return try GPTQMatrix(parts, storesZerosLessOne: config.storesZerosLessOne)
        case .awq: return try AWQMatrix(parts)
        case .scaled(let scale):
            return try ScaledMatrix(
                parts, scale: scale, declaredBlock: config.blockSize, quantizesInputs: config.quantizesInputs)
        case .packedInteger: return try PackedIntegerMatrix(parts)
        case .fp4(let codes, let scales, let tensorScale):
            return try FP4Matrix(parts, codes: codes, scales: scales, tensorScale: tensorScale)
        case .bitsAndBytes(let state): return try BitsAndBytesMatrix(parts, state: state)
        }
    }

    private static func information(
        _ group: Group, _ source: any WeightSource, _ config: QuantizationConfig
    ) throws(CheckpointError) -> TensorInformation? {
        let matrix = try matrix(group, source, config)
        let codes = [".qweight", ".weight_packed", ".weight"].compactMap { source.information(group.stem + $0) }
        guard var result = codes.first else { return nil }
        result.name = group.stem + ".weight"
        result.typeName = matrix.scheme
        result.shape = [matrix.outputs, matrix.inputs]
        result.dtype = config.dtype
        return result
    }

    func information(_ name: String) -> TensorInformation? {
        groups[name].map(\.information) ?? (isVisible(name) ? base.information(name) : nil)
    }

    private func isVisible(_ name: String) -> Bool {
        var low = 0
        var high = names.count
        while low < high {
            let middle = (low + high) / 2
            if names[middle] < name { low = middle + 1 } else { high = middle }
        }
        return low < names.count && names[low] == name
    }

    func tensor(_ name: String) throws(CheckpointError) -> TensorView {
        guard let group = groups[name] else { return try base.tensor(name) }
        let matrix = try Self.matrix(group, base, config)
        let inputs = matrix.inputs
        let (view, overflow) = TensorView.filled(
            name: name, dtype: config.dtype, shape: [matrix.outputs, inputs], piece: Self.rowsAtOnce * inputs
        ) { range, values in
            matrix.decode(range.lowerBound / inputs..<range.upperBound / inputs, into: values)
        }
        if let overflow {
            throw QuantizedParts(source: base, stem: group.stem).failure(
                String(name.dropFirst(group.stem.count)), expected: "numbers that \(config.dtype.rawValue) holds",
                found: "\(overflow)")
        }
        return view
    }

    func coded(_ name: String) throws(CheckpointError) -> (any CodedMatrix)? {
        guard let group = groups[name] else { return try base.coded(name) }
        return try Self.matrix(group, base, config)
    }

    func release(_ name: String) {
        for part in groups[name]?.parts ?? [name] { base.release(part) }
    }
}
