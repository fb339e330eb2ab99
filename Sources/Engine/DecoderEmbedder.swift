package import Checkpoint
package import EngineInterface
import Models

/// Vectors from a decoder: the last token's state. The generating engine computes it, so chunked prefill and the prefix
/// cache serve here too: texts that begin with the same instruction compute it once.
package final class DecoderEmbedder: EmbeddingEngine {
    package let information: EmbeddingInformation
    private let engine: any GenerationEngine
    private let projection: VectorProjection
    /// Texts of one call that are in the engine at once.
    private static let window = 64

    /// - Throws: `ModelError.unsupportedSetting` for a pooling other than the last token's.
    package init(_ engine: EngineHandle, hiddenSize: Int, modules: SentenceModules?, file: String) throws {
        let modules = modules ?? SentenceModules(pooling: .last, dense: [], normalizes: true)
        guard modules.pooling == .last else {
            throw ModelError.unsupportedSetting(
                file: file, key: "pooling", found: modules.pooling.rawValue,
                supported: "a decoder's vector is its last token's")
        }
        self.engine = engine
        projection = try VectorProjection(modules, hidden: hiddenSize)
        let facts = engine.information
        information = EmbeddingInformation(
            modelPath: facts.modelPath, architecture: facts.architecture, vocabularySize: facts.vocabularySize,
            // The engine reserves one place for a token that is never wanted.
            contextLength: min(facts.contextLength - 1, modules.maximumTokens ?? .max),
            dimensions: projection.dimensions, isNormalized: modules.normalizes, pooling: modules.pooling.rawValue,
            dtype: facts.dtype, backend: facts.backend)
    }

    package func scores(_ inputs: [EmbeddingInput]) async throws(RequestError) -> [Float] {
        preconditionFailure("asked for what the model does not give")
    }

    package func vectors(_ inputs: [EmbeddingInput]) async throws(RequestError) -> [[Float]] {
        try information.validate(inputs)
        var results = [[Float]](repeating: [], count: inputs.count)
        let id = "embedding-\(UInt64.random(in: .min ... .max))"
        var start = 0
        while start < inputs.count {
            let range = start..<min(start + Self.window, inputs.count)
            var streams: [AsyncStream<GenerationEvent>] = []
            for index in range { streams.append(try engine.submit(request("\(id)-\(index)", inputs[index].tokens))) }
            for (index, stream) in zip(range, streams) { results[index] = try await state(stream) }
            start = range.upperBound
        }
        return results.map(projection.apply)
    }

    private func request(_ id: String, _ tokens: [Int32]) -> GenerationRequest {
        var sampling = SamplingParameters()
        sampling.temperature = 0
        sampling.maxTokens = 1
        sampling.ignoreEOS = true
        sampling.returnsState = true
        return GenerationRequest(id: id, prompt: tokens, sampling: sampling)
    }

    private func state(_ stream: AsyncStream<GenerationEvent>) async throws(RequestError) -> [Float] {
        var state: [Float]?
        for await event in stream {
            switch event {
            case .token(let token): state = token.state ?? state
            case .finished(.failed(let error), _): throw error
            default: break
            }
        }
        guard let state else { throw .shuttingDown }
        return state
    }

    package func statistics() async -> EmbeddingStatistics {
        let engine = await engine.statistics()
        var result = EmbeddingStatistics()
        result.waitingTexts = engine.waitingRequests
        result.runningTexts = engine.runningRequests
        result.texts = engine.finishedRequests
        result.tokens = engine.promptTokens
        result.batches = engine.steps
        return result
    }

    package func shutdown() async { await engine.shutdown() }
}
