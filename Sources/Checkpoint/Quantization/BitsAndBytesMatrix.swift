import Tensors

/// bitsandbytes' 4-bit types nf4 and fp4 (Dettmers et al. 2023, arXiv 2305.14314).
///
/// `weight` uint8 holds two codes a byte, the upper half first, of the matrix in row order; `weight.quant_map` the 16
/// values; `weight.absmax` the largest magnitude of each block, or a code of it for which `weight.nested_*` hold a second
/// level; `weight.quant_state.bitsandbytes__nf4` a JSON text with shape and block sizes.
struct BitsAndBytesMatrix: QuantizedMatrix {
    let scheme: String
    let outputs: Int
    let inputs: Int
    private let codes: TensorView
    private let magnitudes: [Float]
    private let blockSize: Int
    let form: CodeForm

    static let states = [".weight.quant_state.bitsandbytes__nf4", ".weight.quant_state.bitsandbytes__fp4"]

    init(_ parts: QuantizedParts, state suffix: String) throws(CheckpointError) {
        let text = try parts.view(suffix)
        let place = parts.information(suffix)
        let file = place?.file ?? parts.stem
        guard text.dtype == .uint8,
            let state = ConfigSection(
                try JSONReader.parse(text.bytes, file: file, base: place?.bytes.lowerBound ?? 0), file: file)
        else { throw parts.failure(suffix, expected: "a JSON object") }
        guard let shape = try state.integers("shape", in: 1...(1 << 24)), shape.count == 2 else {
            throw parts.failure(suffix, expected: "shape as two sizes", found: "others")
        }
        outputs = shape[0]
        inputs = shape[1]
        blockSize = try state.required("blocksize", in: 1...(1 << 20))
        codes = try parts.view(".weight")
        let count = outputs * inputs
        guard codes.dtype == .uint8, codes.elementCount == (count + 1) / 2 else {
            throw parts.failure(".weight", expected: "\((count + 1) / 2) bytes for \(outputs)×\(inputs) codes")
        }
        let table = try parts.floats(".weight.quant_map", [16])
        let blocks = (count + blockSize - 1) / blockSize
        guard parts.information(".weight.absmax")?.shape.reduce(1, *) == blocks else {
            throw parts.failure(".weight.absmax", expected: "\(blocks) values, one for each block of \(blockSize)")
        }
        if parts.has(".weight.nested_absmax") {
            let nestedSize = try state.required("nested_blocksize", in: 1...(1 << 20))
            let offset = Float(try state.number("nested_offset", "a number") { _ in true } ?? 0)
            let outer = try parts.floats(".weight.nested_absmax", [(blocks + nestedSize - 1) / nestedSize])
            let values = try parts.floats(".weight.nested_quant_map", [256])
            let absmax = try parts.view(".weight.absmax")
            guard absmax.dtype == .uint8 else { throw parts.failure(".weight.absmax", expected: "uint8 codes") }
            magnitudes = absmax.bytes.enumerated().map { values[Int($1)] * outer[$0 / nestedSize] + offset }
        } else {
            magnitudes = try parts.floats(".weight.absmax")
        }
        form = CodeForm(.fourBits(table), factors: .float32)
        scheme = "bitsandbytes \(suffix.suffix(3)), blocks of \(blockSize)"
    }

    /// Blocks run on from row to row: where they do not fit into rows, each element is a group.
    private var groupSize: Int {
        inputs % blockSize == 0 ? blockSize : blockSize % inputs == 0 ? inputs : 1
    }
    var groups: Int { inputs / groupSize }
    var groupOfInput: [Int32] { (0..<inputs).map { Int32($0 / groupSize) } }

    func read(from first: Int, into rows: CodedRows) {
        let start = first * inputs
        for place in 0..<rows.count * inputs {
            let index = start + place
            let byte = codes.bytes[index / 2]
            rows.codes[place] = index % 2 == 0 ? byte >> 4 : byte & 15
        }
        for place in 0..<rows.count * groups {
            rows.scales[place] = magnitudes[(start + place * groupSize) / blockSize]
        }
    }
}
