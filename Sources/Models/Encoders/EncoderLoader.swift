package import Checkpoint
package import Compute
package import Tensors

/// Model files in, runnable encoder out.
package enum EncoderLoader {
    /// Loads an encoder: every tensor's presence, type and shape is checked before the first is packed.
    ///
    /// - Parameters:
    ///   - rows: tokens of the largest batch; the context where that is more.
    ///   - texts: texts of the largest batch.
    ///   - dtype: a floating type that matrices are converted to; nil: as stored.
    ///   - format: of the layers' matrices.
    ///   - cache: as in `ModelLoader.load`.
    /// - Throws: `CheckpointError`, `ModelError` or `ComputeError`.
    package static func load(
        _ files: ModelFiles, backend: any EncoderBackend, rows: Int, texts: Int, dtype: DType? = nil,
        format: WeightFormat = .stored, cache: WeightCacheUse? = nil,
        progress: (LoadProgress) -> Void = { _ in }
    ) throws -> TextEncoder {
        let spec = try EncoderSpec.read(files)
        let source = try ModelDirectory.weights(files)
        let names = EncoderNames(spec, source)
        try ModelLoader.check(names.parts, source)
        cache?.open(files, settings: "\(dtype?.rawValue ?? "as stored") \(format.rawValue)", on: backend)
        let weights = try withoutActuallyEscaping(progress) { progress in
            var reader = WeightReader(
                source, parts: names.parts, isRedundant: EncoderNames.isRedundant, backend: backend, dtype: dtype,
                format: format, progress: progress)
            return try Self.weights(spec, names, &reader, source, backend)
        }
        cache?.close(on: backend)
        return try TextEncoder(spec, weights: weights, rows: rows, texts: texts, backend: backend)
    }

    /// Checks what `load` checks before it packs the first tensor; nothing is loaded.
    ///
    /// - Throws: as `load`.
    package static func verify(_ files: ModelFiles) throws -> EncoderSpec {
        let spec = try EncoderSpec.read(files)
        let source = try ModelDirectory.weights(files)
        try ModelLoader.check(EncoderNames(spec, source).parts, source)
        return spec
    }

    private static func weights(
        _ spec: EncoderSpec, _ names: EncoderNames, _ reader: inout WeightReader, _ source: any WeightSource,
        _ backend: any EncoderBackend
    ) throws -> TextEncoder.Weights {
        let words = try reader.table(names.words)
        let places = try backend.packWeight([
            places(source.tensor(names.positions.name), source.tensor(names.types.name), hidden: spec.hiddenSize)
        ])
        reader.done([names.positions, names.types])
        let embeddingNorm = try norm(names.embeddingNorm, &reader)
        var layers: [TextEncoder.Layer] = []
        for layer in names.layers {
            layers.append(
                TextEncoder.Layer(
                    queryKeyValue: try reader.linear(layer.queryKeyValue),
                    attentionOutput: try reader.linear(layer.attentionOutput),
                    attentionNorm: try norm(layer.attentionNorm, &reader), up: try reader.linear(layer.up),
                    down: try reader.linear(layer.down), outputNorm: try norm(layer.outputNorm, &reader)))
        }
        return TextEncoder.Weights(
            words: words, places: places, embeddingNorm: embeddingNorm, layers: layers,
            head: try names.head.map { try reader.linear($0) }, dtype: reader.matrixDType ?? .float32)
    }

    private static func norm(
        _ norm: EncoderNames.NormParts, _ reader: inout WeightReader
    ) throws -> TextEncoder.LayerNorm {
        TextEncoder.LayerNorm(weight: try reader.vector([norm.weight]), bias: try reader.vector([norm.bias]))
    }

    /// The sums of each type's and each position's row, in float32.
    private static func places(_ positions: TensorView, _ types: TensorView, hidden: Int) -> TensorView {
        let rows = positions.floats() ?? []
        let kinds = types.floats() ?? []
        return TensorView.filled(
            name: "positions and types", dtype: .float32,
            shape: [types.shape[0] * positions.shape[0], hidden], piece: rows.count
        ) { range, buffer in
            let type = range.lowerBound / rows.count
            for index in buffer.indices { buffer[index] = rows[index] + kinds[type * hidden + index % hidden] }
        }.view
    }
}
