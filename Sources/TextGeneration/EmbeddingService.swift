package import EngineInterface
import Glibc
package import Tokenizers

/// The text side of an encoder or reranker: texts in, vectors or scores out, over any `EmbeddingEngine`.
package struct EmbeddingService: Sendable {
    /// A text, or token ids that are taken as they are.
    package enum Input: Sendable, Equatable {
        case text(String)
        case tokens([Int32])
    }

    package struct Vectors: Sendable {
        package var vectors: [[Float]]
        /// Tokens of each input, special ones included.
        package var tokens: [Int]
    }

    package let engine: any EmbeddingEngine
    package let tokenizer: Tokenizer

    package init(engine: any EmbeddingEngine, tokenizer: Tokenizer) {
        self.engine = engine
        self.tokenizer = tokenizer
    }

    /// One vector for each input.
    ///
    /// - Parameters:
    ///   - dimensions: the vectors are cut to so many numbers, and get length 1 again where the model's have it.
    ///   - limit: longer texts are cut to so many tokens; nil: they are an error.
    /// - Throws: `RequestError` with both numbers for a text that is too long.
    @concurrent package func vectors(
        _ inputs: [Input], dimensions: Int? = nil, limit: Int? = nil
    ) async throws(RequestError) -> Vectors {
        let encoded = inputs.map { encode($0, limit: limit) }
        var vectors = try await engine.vectors(encoded.map { EmbeddingInput(tokens: $0) })
        if let dimensions, dimensions < engine.information.dimensions {
            vectors = vectors.map { shortened($0, to: dimensions) }
        }
        return Vectors(vectors: vectors, tokens: encoded.map(\.count))
    }

    /// How well each pair of texts fits together: a reranker's own score, or the cosine of an embedding model's vectors.
    ///
    /// - Throws: `RequestError`; `invalidParameter` if the tokenizer has no rule for pairs.
    @concurrent package func scores(
        _ pairs: [(first: String, second: String)], limit: Int? = nil
    ) async throws(RequestError) -> (scores: [Float], tokens: [Int]) {
        guard engine.information.isReranker else { return try await cosines(pairs, limit: limit) }
        var inputs: [EmbeddingInput] = []
        for pair in pairs {
            guard let made = tokenizer.encodePair(pair.first, pair.second, limit: limit) else {
                throw .invalidParameter(
                    field: "text_2", found: "two texts", expected: "a model whose tokenizer.json puts pairs together")
            }
            // A model with one type has one row for all.
            inputs.append(
                EmbeddingInput(tokens: made.ids, types: engine.information.typeCount > 1 ? made.types : []))
        }
        var scores = try await engine.scores(inputs)
        if engine.information.appliesSigmoid { scores = scores.map { Float(1 / (1 + exp(-Double($0)))) } }
        return (scores, inputs.map(\.tokens.count))
    }

    private func cosines(
        _ pairs: [(first: String, second: String)], limit: Int?
    ) async throws(RequestError) -> (scores: [Float], tokens: [Int]) {
        // A query that stands in many pairs is computed once.
        var places: [String: Int] = [:]
        var texts: [Input] = []
        for text in pairs.flatMap({ [$0.first, $0.second] }) where places[text] == nil {
            places[text] = texts.count
            texts.append(.text(text))
        }
        let made = try await vectors(texts, limit: limit)
        var scores: [Float] = []
        for pair in pairs {
            guard let first = places[pair.first], let second = places[pair.second] else { continue }
            scores.append(Self.cosine(made.vectors[first], made.vectors[second]))
        }
        let tokens = pairs.map { pair in (places[pair.first], places[pair.second]) }.map { first, second in
            (first.map { made.tokens[$0] } ?? 0) + (second.map { made.tokens[$0] } ?? 0)
        }
        return (scores, tokens)
    }

    private static func cosine(_ a: [Float], _ b: [Float]) -> Float {
        func dot(_ a: [Float], _ b: [Float]) -> Double { zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) } }
        let lengths = (dot(a, a) * dot(b, b)).squareRoot()
        return lengths > 0 ? Float(dot(a, b) / lengths) : 0
    }

    private func encode(_ input: Input, limit: Int?) -> [Int32] {
        switch input {
        case .tokens(let ids): limit.map { Array(ids.prefix($0)) } ?? ids
        case .text(let text):
            limit.map { tokenizer.encode(text, limit: $0) } ?? tokenizer.encode(text, addSpecialTokens: true)
        }
    }

    private func shortened(_ vector: [Float], to count: Int) -> [Float] {
        let part = Array(vector.prefix(count))
        guard engine.information.isNormalized else { return part }
        let length = part.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        return length > 0 ? part.map { Float(Double($0) / length) } : part
    }
}
