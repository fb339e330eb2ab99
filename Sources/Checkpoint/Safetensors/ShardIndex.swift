package import Tensors

/// `model.safetensors.index.json`: which shard holds which tensor.
struct ShardIndex {
    let file: String
    /// Tensor to shard.
    let shards: [String: String]

    static let fileName = "model.safetensors.index.json"

    /// - Throws: `malformedJSON`, or `malformedIndex` where a shard is not a plain file name.
    init?(_ files: ModelFiles) throws(CheckpointError) {
        guard let section = try ConfigSection.read(Self.fileName, of: files) else { return nil }
        file = section.file
        guard let map = try section.section("weight_map"), !map.keys.isEmpty else {
            throw .malformedIndex(
                file: file, key: "weight_map", expected: "an object of tensor names", found: "nothing")
        }
        var shards: [String: String] = [:]
        for (tensor, shard) in try map.allStrings() {
            guard shards.updateValue(shard, forKey: tensor) == nil else {
                throw .malformedIndex(
                    file: file, key: "weight_map.\(tensor)", expected: "each name once", found: "it twice")
            }
            guard !shard.isEmpty, shard != ".", shard != "..",
                !shard.utf8.contains(where: { $0 == 0x2F || $0 == 0x5C || $0 == 0 })
            else {
                throw .malformedIndex(
                    file: file, key: "weight_map.\(tensor)", expected: "the name of a file beside the index",
                    found: "\"\(shard)\"")
            }
        }
        self.shards = shards
    }
}

/// The tensors of several safetensors files, each from the shard that the index names.
package final class ShardedSafetensors: WeightSource {
    package let description: String
    package let names: [String]
    private let shards: [String: SafetensorsFile]
    private let index: [String: String]

    /// - Throws: `missingShards`; what `SafetensorsFile` throws; `malformedIndex` for a tensor that its shard lacks.
    init(_ index: ShardIndex, files: ModelFiles) throws(CheckpointError) {
        let wanted = Set(index.shards.values).sorted()
        let missing = wanted.filter { !files.contains($0) }
        guard missing.isEmpty else { throw .missingShards(index: index.file, shards: missing) }
        var shards: [String: SafetensorsFile] = [:]
        for name in wanted {
            guard let file = try files.mapped(name) else { throw .missingShards(index: index.file, shards: [name]) }
            shards[name] = try SafetensorsFile(file)
        }
        for (tensor, shard) in index.shards.sorted(by: { $0.key < $1.key })
        where shards[shard]?.information(tensor) == nil {
            throw .malformedIndex(
                file: index.file, key: "weight_map.\(tensor)", expected: "a shard that holds it",
                found: "\(shard), which does not")
        }
        description = files.description
        self.shards = shards
        self.index = index.shards
        names = index.shards.keys.sorted()
    }

    private func shard(_ name: String) -> SafetensorsFile? { index[name].flatMap { shards[$0] } }

    package func information(_ name: String) -> TensorInformation? { shard(name)?.information(name) }

    package func tensor(_ name: String) throws(CheckpointError) -> TensorView {
        guard let shard = shard(name) else { throw .missingTensor(name: name, source: description) }
        return try shard.tensor(name)
    }

    package func release(_ name: String) { shard(name)?.release(name) }
}
