package import Checkpoint
package import Compute
package import Tensors

/// Bytes of a model's weights in the memory of the processor's backend, known from the files' headers. Quantized
/// matrices count as the codes they stay in, or widened where no kernel reads them.
///
/// Matrices that are fused count by themselves: what differs is the padding of outputs to whole panels.
package struct WeightFootprint: Sendable {
    /// Of each tensor that the model uses, by its name in the checkpoint.
    package private(set) var bytes: [String: Int] = [:]
    /// What is kept of each, for example `bfloat16`, `int8`, or `GPTQ, 4 bits, groups of 128`.
    package private(set) var forms: [String: String] = [:]
    /// Bytes that a step of one sequence reads: of the experts those that are chosen, of the embedding a row.
    package private(set) var bytesPerStep = 0

    /// Bytes of what lies in a decoder's layers.
    package private(set) var layers = 0

    package var total: Int { bytes.values.reduce(0, +) }

    /// A decoder.
    ///
    /// - Parameters:
    ///   - dtype: as in `ModelLoader.load`.
    ///   - format: as in `ModelLoader.load`.
    /// - Throws: `CheckpointError`, or `ModelError` for an architecture that is not run.
    package init(_ files: ModelFiles, dtype: DType? = nil, format: WeightFormat = .stored) throws {
        let spec = try ModelLoader.spec(files)
        // Experts that are stacked, one by one.
        let source = try ModelLoader.source(files, spec)
        let names = WeightNames(spec)
        let tables = Set([names.embedding.name] + [names.output?.name].compactMap { $0 })
        let routers = Set(
            names.layers.compactMap(\.experts).flatMap { $0.router.parts + ($0.sharedGate?.parts ?? []) }.map(\.name))
        for part in names.parts {
            let isTable = tables.contains(part.name)
            try add(
                part, source, dtype: routers.contains(part.name) ? .float32 : dtype,
                format: routers.contains(part.name) ? .stored : isTable ? format.ofTables : format,
                mayBeCoded: !routers.contains(part.name))
        }
        layers = names.layers.flatMap(\.parts).reduce(0) { $0 + (bytes[$1.name] ?? 0) }
        bytesPerStep = total
        if names.output != nil { bytesPerStep -= bytes[names.embedding.name] ?? 0 }
        for (layer, experts) in zip(names.layers, spec.experts) {
            guard let experts, let parts = layer.experts?.experts.flatMap(\.parts) else { continue }
            let all = parts.reduce(0) { $0 + (bytes[$1.name] ?? 0) }
            bytesPerStep -= all - all / max(1, experts.count) * experts.rule.chosen
        }
    }

    /// An encoder.
    package init(
        encoder files: ModelFiles, dtype: DType? = nil, format: WeightFormat = .stored
    ) throws {
        let source = try ModelDirectory.weights(files)
        let names = EncoderNames(try EncoderSpec.read(files), source)
        for part in names.parts {
            let isTable = part.name == names.words.name
            try add(part, source, dtype: dtype, format: isTable ? format.ofTables : format)
        }
        bytesPerStep = total - (bytes[names.words.name] ?? 0)
    }

    private mutating func add(
        _ part: WeightNames.Part, _ source: any WeightSource, dtype: DType?, format: WeightFormat,
        mayBeCoded: Bool = true
    ) throws {
        guard let information = source.information(part.name) else { return }
        let target = dtype ?? information.dtype ?? .bfloat16
        guard part.shape.count == 2 else {
            bytes[part.name] = part.shape.reduce(1, *) * DType.float32.byteCount
            forms[part.name] = DType.float32.rawValue
            return
        }
        if format == .stored, mayBeCoded, let matrix = try source.coded(part.name),
            let coded = CPUBackend.codedBytes([matrix], widenedTo: target)
        {
            bytes[part.name] = coded
            forms[part.name] = information.typeName
            return
        }
        bytes[part.name] = CPUBackend.weightBytes(
            outputs: part.shape[0], inputs: part.shape[1], dtype: target, format: format)
        forms[part.name] = format == .stored ? target.rawValue : format.rawValue
    }
}
