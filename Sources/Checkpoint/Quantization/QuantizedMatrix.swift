import Tensors

/// A matrix in a published quantized layout.
protocol QuantizedMatrix: CodedMatrix {
    /// For messages, for example `GPTQ, 4 bits, groups of 128`.
    var scheme: String { get }
}

/// Makes a `QuantizedMatrix` of the tensors that share a stem, and says what is wrong with them.
struct QuantizedParts {
    let source: any WeightSource
    /// `model.layers.0.self_attn.q_proj`: the module that the parts belong to.
    let stem: String

    func has(_ suffix: String) -> Bool { source.information(stem + suffix) != nil }

    func information(_ suffix: String) -> TensorInformation? { source.information(stem + suffix) }

    func view(_ suffix: String) throws(CheckpointError) -> TensorView { try source.tensor(stem + suffix) }

    func failure(_ suffix: String, expected: String, found: String? = nil) -> CheckpointError {
        let information = information(suffix)
        return .malformedTensor(
            file: information?.file ?? source.description, tensor: stem + suffix, bytes: information?.bytes,
            expected: expected,
            found: found ?? information.map { "\($0.typeName) \($0.shape)" } ?? "nothing")
    }

    /// A part of the given type with two dimensions.
    func matrix(_ suffix: String, _ type: DType) throws(CheckpointError) -> TensorView {
        let view = try view(suffix)
        guard view.dtype == type, view.shape.count == 2 else {
            throw failure(suffix, expected: "a matrix of \(type.rawValue)")
        }
        return view
    }

    /// A part of the given type and shape.
    func part(_ suffix: String, _ type: DType, _ shape: [Int]) throws(CheckpointError) -> TensorView {
        let view = try view(suffix)
        guard view.dtype == type, view.shape == shape else {
            throw failure(suffix, expected: "\(type.rawValue) \(shape)")
        }
        return view
    }

    /// All values of a part of any floating type, the 8-bit ones included.
    func floats(_ suffix: String) throws(CheckpointError) -> [Float] {
        let view = try view(suffix)
        if let values = view.floats() { return values }
        guard let table = SmallFloats.table(view.dtype) else {
            throw failure(suffix, expected: "numbers of a floating type")
        }
        return view.copiedBytes.map { table[Int($0)] }
    }

    /// As `floats`, of a given shape.
    func floats(_ suffix: String, _ shape: [Int]) throws(CheckpointError) -> [Float] {
        guard information(suffix)?.shape == shape else { throw failure(suffix, expected: "shape \(shape)") }
        return try floats(suffix)
    }

    /// The group of each input: as `index` says where there is such a part (activation order), else neighbours in equal
    /// numbers, of which the last group may have fewer.
    func groups(
        _ index: String, scales: String, inputs: Int, groups: Int
    ) throws(CheckpointError) -> [Int32] {
        if has(index) {
            let view = try part(index, .int32, [inputs])
            let result = (0..<inputs).map { Int32(bitPattern: view.word($0)) }
            guard result.allSatisfy({ $0 >= 0 && $0 < groups }) else {
                throw failure(index, expected: "groups from 0 to \(groups - 1)", found: "others")
            }
            return result
        }
        let size = (inputs + groups - 1) / groups
        guard size > 0, (inputs + size - 1) / size == groups else {
            throw failure(scales, expected: "a number of groups that divides \(inputs) inputs")
        }
        return (0..<inputs).map { Int32($0 / size) }
    }

    /// The type that the numbers of a part are scaled in: its own where that has 16 bits, else float32.
    func factorType(_ suffix: String) -> DType {
        switch information(suffix)?.dtype {
        case .float16: .float16
        case .bfloat16: .bfloat16
        default: .float32
        }
    }

    /// One number, whether as a scalar or as a vector of one.
    func scalar(_ suffix: String) throws(CheckpointError) -> Float {
        guard let information = information(suffix), information.shape.reduce(1, *) == 1 else {
            throw failure(suffix, expected: "one number")
        }
        return try floats(suffix)[0]
    }
}

extension TensorView {
    /// A 32-bit word of a packed tensor. Files do not promise alignment.
    @inline(__always) func word(_ index: Int) -> UInt32 {
        UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self))
    }
}
