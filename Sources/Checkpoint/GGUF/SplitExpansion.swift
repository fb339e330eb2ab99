import Tensors

/// A GGUF file of DeepSeek whose converter has split `kv_b_proj` for absorbed attention (`attn_k_b`, turned over, and
/// `attn_v_b`, head by head), seen with the matrix in one.
final class SplitExpansion: WeightSource {
    private let base: any WeightSource
    let names: [String]
    var description: String { base.description }

    private static let whole = ".kv_b_proj.weight"
    private static let keys = ".k_b_proj.weight"
    private static let values = ".v_b_proj.weight"

    /// `source` itself, if no matrix of it is split in that way.
    ///
    /// - Throws: `malformedTensor` for parts that do not belong together.
    static func wrapping(_ source: any WeightSource) throws(CheckpointError) -> any WeightSource {
        let stems = source.names.filter { $0.hasSuffix(keys) }.map { String($0.dropLast(keys.count)) }
        for stem in stems {
            let found = source.information(stem + keys)
            guard let found, found.shape.count == 3, let values = source.information(stem + values),
                values.shape.count == 3, values.shape[0] == found.shape[0], values.shape[2] == found.shape[1],
                values.dtype == found.dtype
            else {
                throw .malformedTensor(
                    file: found?.file ?? source.description, tensor: stem + keys, bytes: found?.bytes,
                    expected: "[heads, latent, key], beside \(stem + values) with [heads, value, latent] of that type",
                    found: "\(found?.shape ?? []) and \(source.information(stem + values)?.shape ?? [])")
            }
        }
        return stems.isEmpty ? source : SplitExpansion(source, stems)
    }

    private init(_ base: any WeightSource, _ stems: [String]) {
        self.base = base
        let others = base.names.filter { !$0.hasSuffix(Self.keys) && !$0.hasSuffix(Self.values) }
        names = (others + stems.map { $0 + Self.whole }).sorted()
    }

    private func parts(_ name: String) -> (keys: TensorInformation, values: TensorInformation)? {
        guard name.hasSuffix(Self.whole) else { return nil }
        let stem = name.dropLast(Self.whole.count)
        guard let keys = base.information(stem + Self.keys), let values = base.information(stem + Self.values) else {
            return nil
        }
        return (keys, values)
    }

    func information(_ name: String) -> TensorInformation? {
        guard let (keys, values) = parts(name) else { return base.information(name) }
        var result = keys
        result.name = name
        result.shape = [keys.shape[0] * (keys.shape[2] + values.shape[1]), keys.shape[1]]
        result.bytes = keys.bytes.lowerBound..<keys.bytes.upperBound + values.bytes.count
        return result
    }

    func tensor(_ name: String) throws(CheckpointError) -> TensorView {
        guard let (keys, values) = parts(name), let shape = information(name)?.shape else {
            return try base.tensor(name)
        }
        let (turned, straight) = (try base.tensor(keys.name), try base.tensor(values.name))
        return .filled(name: name, dtype: turned.dtype, shape: shape) { memory in
            var place = 0
            for head in 0..<keys.shape[0] {
                let key = turned.rows(head..<head + 1).shaped(name: name, Array(keys.shape[1...])).turnedOver()
                for part in [key, straight.rows(head..<head + 1)] {
                    let bytes = part.copiedBytes
                    UnsafeMutableRawBufferPointer(rebasing: memory[place..<place + bytes.count]).copyBytes(from: bytes)
                    place += bytes.count
                }
            }
        }
    }

    func coded(_ name: String) throws(CheckpointError) -> (any CodedMatrix)? {
        parts(name) == nil ? try base.coded(name) : nil
    }

    func release(_ name: String) {
        guard let (keys, values) = parts(name) else { return base.release(name) }
        base.release(keys.name)
        base.release(values.name)
    }
}
