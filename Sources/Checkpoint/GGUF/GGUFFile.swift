package import Tensors

/// A GGUF model, in one file or several, seen through the names and layouts of the Hugging Face checkpoint that it was
/// made from. Blocks are widened to `dtype`.
///
/// Sendable: nothing changes after init.
package final class GGUFFile: WeightSource, Sendable {
    package let description: String
    package let names: [String]
    let metadata: GGUFMetadata
    /// Of all parts.
    let paths: [String]
    private let tensors: [String: Place]
    private let dtype: DType

    fileprivate struct Place: Sendable {
        let file: MappedFile
        let type: GGUFTensorType
        let shape: [Int]
        let bytes: Range<Int>
        /// Heads whose rows the converter interleaved; 0: rows stand as they were.
        let interleavedHeads: Int
        /// What the converter added to each number.
        let offset: Float
    }

    /// - Parameters:
    ///   - files: all parts of a split model, the first part first.
    ///   - dtype: a floating type for numbers that are stored in blocks.
    /// - Throws: what is wrong with a file; `unsupported` for an architecture that is not read.
    package init(_ files: [MappedFile], dtype: DType = .bfloat16) throws(CheckpointError) {
        precondition(!files.isEmpty && dtype.isFloatingPoint)
        let first = try GGUFHeader(files[0])
        metadata = try GGUFMetadata(first, files[0])
        description = files[0].path
        paths = files.map(\.path)
        self.dtype = dtype
        var tensors: [String: Place] = [:]
        for (index, file) in files.enumerated() {
            let header = try index == 0 ? first : GGUFHeader(file)
            for tensor in header.tensors {
                for (name, place) in try Self.places(tensor, file, metadata) {
                    guard tensors.updateValue(place, forKey: name) == nil else {
                        throw .malformedTensor(
                            file: file.path, tensor: tensor.name, bytes: tensor.bytes, expected: "each tensor once",
                            found: "it twice")
                    }
                }
            }
        }
        self.tensors = tensors
        let factors = [GGUFNames.frequencyFactors, GGUFNames.shortFactors, GGUFNames.longFactors]
        names = tensors.keys.filter { !factors.contains($0) }.sorted()
    }

    /// A tensor under the name of the checkpoint it was made from; of a stack, each expert's part.
    private static func places(
        _ tensor: GGUFTensor, _ file: MappedFile, _ metadata: GGUFMetadata
    ) throws(CheckpointError) -> [(name: String, place: Place)] {
        func failure(_ expected: String) -> CheckpointError {
            .malformedTensor(
                file: file.path, tensor: tensor.name, bytes: tensor.bytes, expected: expected, found: "\(tensor.shape)")
        }
        let heads = metadata.interleavedHeads(tensor.name)
        guard heads == 0 || (tensor.shape.first ?? 0) % (2 * heads) == 0 else {
            throw failure("rows for \(heads) heads of even size")
        }
        let offset = tensor.name.hasSuffix("norm.weight") ? metadata.architecture.normOffset : 0
        func place(_ shape: [Int], _ bytes: Range<Int>) -> Place {
            Place(file: file, type: tensor.type, shape: shape, bytes: bytes, interleavedHeads: heads, offset: offset)
        }
        guard GGUFNames.isStack(tensor.name) else {
            // The converter drops sizes of 1.
            let shape = GGUFNames.isRow(tensor.name) && tensor.shape.count == 1 ? [1] + tensor.shape : tensor.shape
            return [(GGUFNames.huggingFace(tensor.name, metadata.architecture), place(shape, tensor.bytes))]
        }
        guard tensor.shape.count > 1, let experts = tensor.shape.first, (1...4_096).contains(experts) else {
            throw failure("a matrix for each of 1 to 4096 experts")
        }
        let share = tensor.bytes.count / experts
        return (0..<experts).map { expert in
            let start = tensor.bytes.lowerBound + expert * share
            return (
                GGUFNames.huggingFace(tensor.name, metadata.architecture, expert: expert),
                place(Array(tensor.shape.dropFirst()), start..<start + share)
            )
        }
    }

    package func information(_ name: String) -> TensorInformation? {
        guard let place = tensors[name] else { return nil }
        return TensorInformation(
            name: name, typeName: "\(place.type)".uppercased(), dtype: place.type.dtype ?? dtype, shape: place.shape,
            file: place.file.path, bytes: place.bytes)
    }

    package func tensor(_ name: String) throws(CheckpointError) -> TensorView {
        guard let place = tensors[name], let bytes = place.file.bytes(place.bytes) else {
            throw .missingTensor(name: name, source: description)
        }
        if let stored = place.type.dtype, place.interleavedHeads == 0, place.offset == 0 {
            return TensorView(name: name, dtype: stored, shape: place.shape, bytes: bytes, owner: place.file)
        }
        let columns = max(1, place.shape.dropFirst().reduce(1, *))
        let rows = place.shape.first ?? 1
        if let stored = place.type.dtype {
            let whole = TensorView(name: name, dtype: stored, shape: place.shape, bytes: bytes, owner: place.file)
            guard place.offset != 0, let values = whole.floats() else {
                return whole.rearranged(columns: columns) { place.row($0, of: rows) }
            }
            return TensorView.filled(name: name, dtype: stored, shape: place.shape, piece: values.count) {
                range, shifted in
                for (index, element) in range.enumerated() { shifted[index] = values[element] - place.offset }
            }.view
        }
        let matrix = try matrix(place, name)
        let inputs = matrix.inputs
        let (view, overflow) = TensorView.filled(
            name: name, dtype: dtype, shape: place.shape, piece: Self.rowsAtOnce * inputs
        ) { range, values in
            matrix.decode(range.lowerBound / inputs..<range.upperBound / inputs, into: values)
            if place.offset != 0 { for index in values.indices { values[index] -= place.offset } }
        }
        if let overflow {
            throw .malformedTensor(
                file: place.file.path, tensor: name, bytes: place.bytes,
                expected: "numbers that \(dtype.rawValue) holds", found: "\(overflow)")
        }
        return view
    }

    package func coded(_ name: String) throws(CheckpointError) -> (any CodedMatrix)? {
        guard let place = tensors[name], place.type.dtype == nil else { return nil }
        return try matrix(place, name)
    }

    private static let rowsAtOnce = 16

    private func matrix(_ place: Place, _ name: String) throws(CheckpointError) -> GGUFMatrix {
        let rows = place.shape.first ?? 1
        let matrix = GGUFMatrix(place.type, shape: place.shape, file: place.file, bytes: place.bytes) {
            place.row($0, of: rows)
        }
        guard let matrix else { throw .missingTensor(name: name, source: description) }
        return matrix
    }

    package func release(_ name: String) {
        if let place = tensors[name] { place.file.release(place.bytes) }
    }

    func shape(_ name: String) -> [Int]? { tensors[name]?.shape }

    /// Divisors of the rotary frequencies, if the file has them.
    func factors(_ name: String) throws(CheckpointError) -> [Float]? {
        guard tensors[name] != nil else { return nil }
        return try tensor(name).floats()
    }
}

extension GGUFFile.Place {
    /// Where the wanted row stands: the converter lays the two halves of each head's rows alternately, so that
    /// neighbours turn together.
    fileprivate func row(_ wanted: Int, of rows: Int) -> Int {
        guard interleavedHeads > 0 else { return wanted }
        let head = rows / interleavedHeads
        let (half, pair) = (wanted % head).quotientAndRemainder(dividingBy: head / 2)
        return wanted / head * head + 2 * pair + half
    }
}
