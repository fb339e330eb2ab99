/// Finds the weights among the files of a model.
package enum ModelDirectory {
    /// Weights of other formats, to say that they were seen.
    private static let otherFormats = [".bin", ".gguf", ".pt", ".pth", ".ckpt", ".h5", ".msgpack", ".onnx", ".npz"]

    /// Opens `model.safetensors`, else the shards of `model.safetensors.index.json`, else the only safetensors file
    /// there is. All headers are checked; no weight is read. Quantized matrices appear as what they stand for.
    ///
    /// - Parameter experts: how the experts of a layer may be stored as one; they appear one by one.
    /// - Throws: `noWeights`, `missingShards`, or what is wrong with a file; `unsupported` for a quantization that is
    ///   not read.
    package static func weights(
        _ files: ModelFiles, experts: ExpertStack? = nil
    ) throws(CheckpointError) -> any WeightSource {
        if let model = files.ggufWeights { return try SplitExpansion.wrapping(model) }
        let stored = try StackedExperts.wrapping(storedWeights(files), experts)
        guard let section = try ConfigSection.read("config.json", of: files),
            let config = try QuantizationConfig(section)
        else { return stored }
        return try QuantizedSource(stored, config)
    }

    private static func storedWeights(_ files: ModelFiles) throws(CheckpointError) -> any WeightSource {
        if let file = try files.mapped("model.safetensors") { return try SafetensorsFile(file) }
        if let index = try ShardIndex(files) { return try ShardedSafetensors(index, files: files) }
        let others = files.names.filter { $0.hasSuffix(".safetensors") }
        if others.count == 1, let file = try files.mapped(others[0]) { return try SafetensorsFile(file) }
        throw .noWeights(
            directory: files.description,
            found: others + files.names.filter { name in otherFormats.contains { name.hasSuffix($0) } })
    }
}
