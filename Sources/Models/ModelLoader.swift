package import Checkpoint
package import Compute
package import Tensors

/// The largest step that a model has to take; its buffers are made for it.
package struct ModelLimits: Sendable, Equatable {
    /// At least 1.
    package var maximumRows: Int
    /// At least 1; more than `maximumRows` is never used.
    package var maximumSampledRows: Int

    package init(maximumRows: Int, maximumSampledRows: Int) {
        self.maximumRows = maximumRows
        self.maximumSampledRows = maximumSampledRows
    }
}

/// How far loading is, in bytes of the checkpoint.
package struct LoadProgress: Sendable, Equatable {
    package var loadedBytes: Int
    package var totalBytes: Int
    /// Tensors of the checkpoint that this model has no use for (other heads, further layers), worth a line in the log.
    package var unusedTensors: [String]
    /// What the weights loaded so far take in the backend's memory.
    package var packedBytes = 0

    package init(loadedBytes: Int, totalBytes: Int, unusedTensors: [String] = []) {
        self.loadedBytes = loadedBytes
        self.totalBytes = totalBytes
        self.unusedTensors = unusedTensors
    }
}

/// Model files in, runnable model out.
package enum ModelLoader {
    /// The configuration alone, to size things before the weights are loaded.
    ///
    /// - Throws: `CheckpointError`, or `ModelError.unsupportedArchitecture`.
    package static func configuration(_ files: ModelFiles) throws -> ModelConfig {
        // The architecture first: the rest of another kind of model would only be misread.
        let family = try ModelRegistry.family(ModelIdentity.read(files))
        return try ModelConfig.read(files, defaults: family.defaults)
    }

    /// What the family makes of the configuration.
    package static func spec(_ files: ModelFiles) throws -> DecoderSpec {
        let family = try ModelRegistry.family(ModelIdentity.read(files))
        return try family.spec(ModelConfig.read(files, defaults: family.defaults))
    }

    /// Loads a model: every tensor's presence, type and shape is checked before the first is packed.
    ///
    /// - Parameters:
    ///   - dtype: a floating type that matrices are converted to; nil: as stored.
    ///   - format: of the layers' matrices; `ofTables` of the embedding and the output projection.
    ///   - needsOutput: false: the logits are not wanted, so the output projection may be missing.
    ///   - cache: where packed weights are kept for the next start; not those of a sketch.
    ///   - sketch: what to load in place of the model itself.
    ///   - progress: called before the first tensor and after each.
    /// - Throws: `CheckpointError`, `ModelError` or `ComputeError`.
    package static func load(
        _ files: ModelFiles, backend: any Backend, limits: ModelLimits, dtype: DType? = nil,
        format: WeightFormat = .stored, needsOutput: Bool = true, cache: WeightCacheUse? = nil,
        sketch: ModelSketch? = nil, progress: (LoadProgress) -> Void = { _ in }
    ) throws -> any Model {
        if let dtype, !dtype.isFloatingPoint {
            throw ComputeError.unsupportedDType(
                tensor: "all weights", dtype: dtype, supported: WeightReader.supported)
        }
        var spec = try spec(files)
        var source = try source(files, spec)
        if !needsOutput, source.information("lm_head.weight") == nil { spec.tiesEmbeddings = true }
        if let sketch {
            spec = spec.first(max(1, sketch.layers))
            source = SketchedWeights(source, sketch)
        }
        let cache = sketch == nil ? cache : nil
        let names = WeightNames(spec)
        try check(names, source)
        let key = "\(dtype?.rawValue ?? "as stored") \(format.rawValue)"
        cache?.open(files, settings: key, on: backend)
        let loaded = try withoutActuallyEscaping(progress) { progress in
            var reader = WeightReader(
                source, names: names, backend: backend, dtype: dtype, format: format, progress: progress)
            return try weights(spec, names, &reader, limits: limits, backend: backend)
        }
        cache?.close(on: backend)
        return try Decoder(spec, weights: loaded, limits: limits, backend: backend)
    }

    /// Checks what `load` checks before it packs the first tensor; nothing is loaded.
    ///
    /// - Throws: as `load`.
    package static func verify(_ files: ModelFiles, needsOutput: Bool = true) throws {
        var spec = try spec(files)
        let source = try source(files, spec)
        if !needsOutput, source.information("lm_head.weight") == nil { spec.tiesEmbeddings = true }
        try check(WeightNames(spec), source)
    }

    /// The weights of a decoder as `load` sees them, experts one by one; of other models, as they are stored.
    ///
    /// - Throws: what is wrong with the weights' files.
    package static func source(_ files: ModelFiles) throws(CheckpointError) -> any WeightSource {
        guard let spec = try? spec(files) else { return try ModelDirectory.weights(files) }
        return try source(files, spec)
    }

    /// The weights under the names that `WeightNames` gives them.
    static func source(_ files: ModelFiles, _ spec: DecoderSpec) throws(CheckpointError) -> any WeightSource {
        let experts = spec.experts.compactMap { $0 }.first
        return DecoderNames.wrapping(try ModelDirectory.weights(files, experts: experts?.stack))
    }

    private static func check(_ names: WeightNames, _ source: any WeightSource) throws(ModelError) {
        try check(names.parts, source)
        let expected = Set(names.parts.map(\.name))
        let disturbing = source.names.filter { !expected.contains($0) && names.wouldChangeResult($0) }
        guard disturbing.isEmpty else { throw .unexpectedTensors(source: source.description, names: disturbing) }
    }

    /// That all parts are there, in the shape asked for and in a type that is read.
    static func check(_ parts: [WeightNames.Part], _ source: any WeightSource) throws(ModelError) {
        let missing = parts.map(\.name).filter { source.information($0) == nil }
        guard missing.isEmpty else { throw .missingTensors(source: source.description, names: missing) }
        for part in parts {
            guard let found = source.information(part.name) else { continue }
            guard found.shape == part.shape else {
                throw .wrongShape(
                    tensor: part.name, file: found.file, bytes: found.bytes, expected: part.shape, found: found.shape)
            }
            guard let dtype = found.dtype, dtype.isFloatingPoint else {
                throw .unsupportedTensorType(
                    tensor: part.name, file: found.file, found: found.typeName, supported: ["F32", "F16", "BF16"])
            }
        }
    }

    private static func weights(
        _ spec: DecoderSpec, _ names: WeightNames, _ reader: inout WeightReader, limits: ModelLimits,
        backend: any Backend
    ) throws -> Decoder.Weights {
        var rotaries = Rotaries(spec, rows: limits.maximumRows, backend: backend)
        let embedding = try reader.table(names.embedding)
        let scale =
            spec.roundsEmbeddingScale
            ? HalfFloats.rounded(spec.embeddingScale, to: reader.matrixDType ?? .float32) : spec.embeddingScale
        let layers = try names.layers.indices.map { try layer($0, spec, names, &reader, &rotaries) }
        return Decoder.Weights(
            embedding: embedding, layers: layers,
            finalNorm: try reader.norm(names.finalNorm, spec),
            output: Linear(weight: try names.output.map { try reader.table($0) } ?? embedding, bias: nil),
            rotaries: rotaries.made, dtype: reader.matrixDType ?? .float32, embeddingScale: scale)
    }

    private static func layer(
        _ index: Int, _ spec: DecoderSpec, _ names: WeightNames, _ reader: inout WeightReader,
        _ rotaries: inout Rotaries
    ) throws -> Decoder.Layer {
        let layer = names.layers[index]
        return Decoder.Layer(
            inputNorm: try layer.inputNorm.map { try reader.norm($0, spec) },
            attention: try attention(index, spec, layer, &reader, &rotaries),
            attentionOutputNorm: try layer.attentionOutputNorm.map { try reader.norm($0, spec) },
            mlpNorm: try layer.mlpNorm.map { try reader.norm($0, spec) },
            mlp: try feedForward(index, spec, layer, &reader),
            mlpOutputNorm: try layer.mlpOutputNorm.map { try reader.norm($0, spec) })
    }

    private static func attention(
        _ index: Int, _ spec: DecoderSpec, _ layer: WeightNames.Layer, _ reader: inout WeightReader,
        _ rotaries: inout Rotaries
    ) throws -> SelfAttention {
        let shape = AttentionShape(
            heads: spec.headCount, keyValueHeads: spec.keyValueHeadCount, headDimension: spec.headDimension,
            scale: spec.attentionScale, window: spec.windows[index], scoreCap: spec.scoreCap)
        let rotary = try rotaries.rotary(spec.rotations[index])
        switch layer.attention {
        case .grouped(let queryKeyValue, let queryNorm, let keyNorm, let sinks):
            return .grouped(
                GroupedAttention(
                    queryKeyValue: try reader.linear(queryKeyValue),
                    queryNorm: try queryNorm.map { try reader.vector([$0], offset: spec.normOffset) },
                    keyNorm: try keyNorm.map { try reader.vector([$0], offset: spec.normOffset) },
                    normalizesWholeWidth: spec.queryKeyNorm == .wholeWidth,
                    sinks: try sinks.map { try reader.vector([$0]) },
                    output: try reader.linear(layer.attentionOutput), shape: shape, epsilon: spec.normEpsilon,
                    rotary: rotary))
        case .latent(let input, let queryNorm, let queries, let latentNorm, let expansion):
            guard let sizes = spec.latent else { preconditionFailure("latent attention without its sizes") }
            // In this order, so that the type of the fused matrix is known to those after it.
            let projection = try reader.linear(input)
            var widened: (norm: Vector, weight: PackedWeight)?
            if let queryNorm, let queries {
                widened = (try reader.vector([queryNorm]), try reader.matrix([queries]))
            }
            let (absorbed, values) = try reader.absorbed(expansion, heads: spec.headCount, sizes)
            return .latent(
                LatentAttention(
                    input: projection, queries: widened, latentNorm: try reader.vector([latentNorm]),
                    absorbed: absorbed, values: values,
                    output: try reader.linear(layer.attentionOutput), sizes: sizes, shape: shape,
                    rotary: rotary))
        }
    }

    private static func feedForward(
        _ index: Int, _ spec: DecoderSpec, _ layer: WeightNames.Layer, _ reader: inout WeightReader
    ) throws -> FeedForward {
        func gated(_ names: WeightNames.MLP) throws -> GatedMLP {
            GatedMLP(
                gateUp: try reader.linear(names.gateUp), down: try reader.linear(names.down), function: spec.gate)
        }
        if let names = layer.experts, let experts = spec.experts[index] {
            return .sparse(
                SparseMLP(
                    router: try reader.router(names.router), rule: experts.rule,
                    correction: try names.correction.map { try reader.vector([$0]) },
                    experts: try names.experts.map(gated), shared: try names.shared.map(gated),
                    sharedGate: try names.sharedGate.map { try reader.router($0) }))
        }
        guard let names = layer.mlp else { preconditionFailure("a layer without an MLP") }
        return .dense(try gated(names))
    }
}

/// The tables that a decoder's layers turn their heads by, each made once.
private struct Rotaries {
    private let spec: DecoderSpec
    private let rows: Int
    private let backend: any Backend
    private var tables: [(rotation: DecoderSpec.Rotation, table: Rotary)] = []

    init(_ spec: DecoderSpec, rows: Int, backend: any Backend) {
        self.spec = spec
        self.rows = rows
        self.backend = backend
    }

    var made: [Rotary] { tables.map(\.table) }

    mutating func rotary(_ rotation: DecoderSpec.Rotation) throws(ComputeError) -> Rotary {
        if let found = tables.first(where: { $0.rotation == rotation }) { return found.table }
        let parameters: RopeParameters? =
            switch rotation {
            case .main: spec.rope
            case .local: spec.localRope ?? spec.rope
            case .none: nil
            }
        // A table of no pairs turns nothing.
        let frequencies = parameters.map { RotaryFrequencies($0, dimensions: spec.rotatedDimensions) }
        let table = try backend.makeRotary(
            inverseFrequencies: frequencies?.frequencies ?? [], amplitude: frequencies?.amplitude ?? 1,
            pairing: spec.rotaryPairing, rows: rows)
        tables.append((rotation, table))
        return table
    }
}
