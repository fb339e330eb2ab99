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
                let name = GGUFNames.huggingFace(tensor.name)
                let place = Place(
                    file: file, type: tensor.type, shape: tensor.shape, bytes: tensor.bytes,
                    interleavedHeads: metadata.interleavedHeads(tensor.name))
                let heads = max(1, place.interleavedHeads)
                guard place.interleavedHeads == 0 || (tensor.shape.first ?? 0) % (2 * heads) == 0 else {
                    throw .malformedTensor(
                        file: file.path, tensor: tensor.name, bytes: tensor.bytes,
                        expected: "rows for \(heads) heads of even size", found: "\(tensor.shape)")
                }
                guard tensors.updateValue(place, forKey: name) == nil else {
                    throw .malformedTensor(
                        file: file.path, tensor: tensor.name, bytes: tensor.bytes, expected: "each tensor once",
                        found: "it twice")
                }
            }
        }
        self.tensors = tensors
        names = tensors.keys.filter { $0 != GGUFNames.frequencyFactors }.sorted()
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
        if let stored = place.type.dtype, place.interleavedHeads == 0 {
            return TensorView(name: name, dtype: stored, shape: place.shape, bytes: bytes, owner: place.file)
        }
        let columns = max(1, place.shape.dropFirst().reduce(1, *))
        let rows = place.shape.first ?? 1
        if let stored = place.type.dtype {
            let whole = TensorView(name: name, dtype: stored, shape: place.shape, bytes: bytes, owner: place.file)
            return whole.rearranged(columns: columns) { place.row($0, of: rows) }
        }
        let matrix = try matrix(place, name)
        let inputs = matrix.inputs
        let (view, overflow) = TensorView.filled(
            name: name, dtype: dtype, shape: place.shape, piece: Self.rowsAtOnce * inputs
        ) { range, values in
            matrix.decode(range.lowerBound / inputs..<range.upperBound / inputs, into: values)
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

    /// Divisors of the rotary frequencies (Llama 3.1), if the file has them.
    func frequencyFactors() throws(CheckpointError) -> [Float]? {
        guard tensors[GGUFNames.frequencyFactors] != nil else { return nil }
        return try tensor(GGUFNames.frequencyFactors).floats()
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
