/// The contract between the server side and whatever turns token ids into vectors or scores.
///
/// The real ones are `Engine.EncoderHandle` and `Engine.DecoderEmbedder`; tests use a scripted one.
package protocol EmbeddingEngine: Sendable {
    /// Facts that do not change while the engine lives.
    var information: EmbeddingInformation { get }

    /// One vector for each input, in order. Cancelling the calling task takes back what has not been computed.
    /// - Throws: `RequestError` if an input can never run, the queue is full, or the model is a reranker.
    func vectors(_ inputs: [EmbeddingInput]) async throws(RequestError) -> [[Float]]

    /// One raw score for each input, which is a pair of texts.
    /// - Throws: likewise, and if the model is no reranker.
    func scores(_ inputs: [EmbeddingInput]) async throws(RequestError) -> [Float]

    /// A consistent snapshot taken between two steps.
    func statistics() async -> EmbeddingStatistics

    /// Takes nothing new; returns when what was taken has been answered.
    func shutdown() async
}

/// One text, or a pair of them, as token ids.
package struct EmbeddingInput: Sendable, Equatable {
    /// Special tokens included.
    package var tokens: [Int32]
    /// Which of two texts each token belongs to; empty: all to the first.
    package var types: [Int32]

    package init(tokens: [Int32], types: [Int32] = []) {
        self.tokens = tokens
        self.types = types
    }
}

package struct EmbeddingInformation: Sendable, Equatable {
    /// Path or name the model was loaded from.
    package var modelPath: String
    /// For example `BertModel`.
    package var architecture: String
    package var vocabularySize: Int
    /// Longest text in tokens, special ones included.
    package var contextLength: Int
    /// Numbers of a vector; 1 for a reranker.
    package var dimensions: Int
    /// Gives scores of pairs instead of vectors.
    package var isReranker: Bool
    /// Vectors have length 1.
    package var isNormalized: Bool
    /// A reranker's raw score goes through the logistic function before anybody sees it.
    package var appliesSigmoid: Bool
    /// Token types that the model tells apart.
    package var typeCount: Int
    /// `mean` for example; of a reranker, `cls`.
    package var pooling: String
    /// Weights' type as loaded.
    package var dtype: String
    /// Backend and kernel path.
    package var backend: String

    package init(
        modelPath: String, architecture: String, vocabularySize: Int, contextLength: Int, dimensions: Int,
        isReranker: Bool = false, isNormalized: Bool = true, appliesSigmoid: Bool = false, typeCount: Int = 1,
        pooling: String, dtype: String, backend: String
    ) {
        self.modelPath = modelPath
        self.architecture = architecture
        self.vocabularySize = vocabularySize
        self.contextLength = contextLength
        self.dimensions = dimensions
        self.isReranker = isReranker
        self.isNormalized = isNormalized
        self.appliesSigmoid = appliesSigmoid
        self.typeCount = typeCount
        self.pooling = pooling
        self.dtype = dtype
        self.backend = backend
    }

    /// Refuses what can never run.
    package func validate(_ inputs: [EmbeddingInput]) throws(RequestError) {
        for input in inputs {
            guard !input.tokens.isEmpty else { throw .emptyPrompt }
            guard input.tokens.count <= contextLength else {
                throw .contextLengthExceeded(
                    promptTokens: input.tokens.count, maxNewTokens: nil, contextLength: contextLength)
            }
            for id in input.tokens where id < 0 || Int(id) >= vocabularySize {
                throw .tokenOutOfRange(id: id, vocabularySize: vocabularySize)
            }
        }
    }
}

/// Counters and gauges of an embedding engine.
package struct EmbeddingStatistics: Sendable, Equatable {
    package var waitingTexts = 0
    /// In the batch that is computed now.
    package var runningTexts = 0
    /// Sums since start.
    package var texts = 0
    package var tokens = 0
    package var batches = 0
    package init() {}
}
