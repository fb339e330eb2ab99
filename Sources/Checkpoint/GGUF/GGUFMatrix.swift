import Tensors

/// A tensor of ggml's quantized blocks: rows of whole blocks, the last dimension being the inputs.
struct GGUFMatrix: CodedMatrix {
    let outputs: Int
    let inputs: Int
    let form: CodeForm
    let groups: Int
    private let type: GGUFTensorType
    /// Keeps the bytes alive.
    private let file: MappedFile
    private let bytes: UnsafeRawBufferPointer
    /// Where in the file a row stands.
    private let place: (Int) -> Int

    /// - Returns: nil for a type without blocks.
    init?(_ type: GGUFTensorType, shape: [Int], file: MappedFile, bytes: Range<Int>, row place: @escaping (Int) -> Int)
    {
        guard let form = type.form, let inputs = shape.last, inputs > 0, let bytes = file.bytes(bytes) else {
            return nil
        }
        self.type = type
        self.file = file
        self.bytes = bytes
        self.form = form
        self.place = place
        self.inputs = inputs
        outputs = shape.dropLast().reduce(1, *)
        groups = inputs / type.groupSize
    }

    var groupOfInput: [Int32] { (0..<inputs).map { Int32($0 / type.groupSize) } }

    func read(from first: Int, into rows: CodedRows) {
        let blocks = inputs / type.blockSize
        let groupsPerBlock = type.blockSize / type.groupSize
        for row in 0..<rows.count {
            let start = place(first + row) * blocks * type.blockBytes
            for block in 0..<blocks {
                let begin = start + block * type.blockBytes
                let source = UnsafeRawBufferPointer(rebasing: bytes[begin..<begin + type.blockBytes])
                let element = row * inputs + block * type.blockSize
                let group = row * groups + block * groupsPerBlock
                let codes = UnsafeMutableBufferPointer(rebasing: rows.codes[element..<element + type.blockSize])
                let scales = UnsafeMutableBufferPointer(rebasing: rows.scales[group..<group + groupsPerBlock])
                guard form.hasTwoLevels else {
                    let offset = GGUFBlocks.read(type, source, codes, &scales[0])
                    if form.hasOffsets { rows.offsets[group] = offset }
                    continue
                }
                let offsets =
                    form.hasOffsets
                    ? UnsafeMutableBufferPointer(rebasing: rows.offsets[group..<group + groupsPerBlock]) : nil
                let outer = GGUFSuperblocks.read(type, source, codes, scales, offsets)
                rows.blockScales[row * blocks + block] = outer.scale
                if form.hasOffsets { rows.blockOffsets[row * blocks + block] = outer.offset }
            }
        }
    }

    func release(_ rows: Range<Int>) {
        let rowBytes = inputs / type.blockSize * type.blockBytes
        // Rows may be exchanged within a head, of which the rest is read again then.
        file.release(
            UnsafeRawBufferPointer(rebasing: bytes[rows.lowerBound * rowBytes..<rows.upperBound * rowBytes]))
    }
}

extension GGUFTensorType {
    /// Inputs that share a scale.
    var groupSize: Int {
        switch self {
        case .q2_k, .q3_k, .q6_k: 16
        case .f32, .f16, .bf16: 1
        default: 32
        }
    }

    /// Nil for numbers that are not in blocks.
    var form: CodeForm? {
        switch self {
        case .f32, .f16, .bf16: nil
        case .q4_0: CodeForm(CodeForm.signedFourBits, factors: .float16)
        case .q4_1: CodeForm(CodeForm.unsignedFourBits, factors: .float16, hasOffsets: true)
        case .q5_0, .q8_0: CodeForm(.int8, factors: .float16)
        case .q5_1: CodeForm(.int8, factors: .float16, hasOffsets: true)
        case .iq4_nl: CodeForm(.fourBits(GGUFBlocks.nonlinear), factors: .float16)
        // ggml's table has no −0.
        case .mxfp4: CodeForm(.fourBits(SmallFloats.e2m1.map { $0 + 0 }), factors: .bfloat16)
        case .q2_k, .q4_k: CodeForm(CodeForm.unsignedFourBits, factors: .int8, hasOffsets: true)
        case .q3_k: CodeForm(.fourBits((0..<16).map { Float($0 - 4) }), factors: .int8)
        case .q5_k: CodeForm(.int8, factors: .int8, hasOffsets: true)
        case .q6_k: CodeForm(.int8, factors: .int8)
        case .iq4_xs: CodeForm(.fourBits(GGUFBlocks.nonlinear), factors: .int8)
        }
    }
}
