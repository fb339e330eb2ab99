package import Checkpoint
package import Compute
package import Tensors

/// One text for an encoder.
package struct EncoderInput: Sendable, Equatable {
    /// At least one, at most the context; special tokens included.
    package var tokens: [Int32]
    /// Which of two texts each token belongs to; empty: all to the first.
    package var types: [Int32]

    package init(tokens: [Int32], types: [Int32] = []) {
        self.tokens = tokens
        self.types = types
    }
}

/// An encoder of BERT's kind: every token sees the whole of its text. Texts of a batch lie one behind the other, without
/// padding, and the numerics rule of `Backend` makes a text's result independent of its company. Confined to one thread.
package final class TextEncoder {
    struct LayerNorm {
        let weight: Vector
        let bias: Vector
    }

    struct Layer {
        let queryKeyValue: Linear
        let attentionOutput: Linear
        let attentionNorm: LayerNorm
        let up: Linear
        let down: Linear
        let outputNorm: LayerNorm
    }

    /// Weights in the backend's memory.
    struct Weights {
        let words: PackedWeight
        /// Row `type · positions + position`: the sum of both.
        let places: PackedWeight
        let embeddingNorm: LayerNorm
        let layers: [Layer]
        let head: [Linear]
        let dtype: DType
    }

    package let spec: EncoderSpec
    package let maximumRows: Int
    /// Texts that one call takes.
    package let maximumTexts: Int
    private let weights: Weights
    private let backend: any EncoderBackend
    private let hidden: Tensor
    private let delta: Tensor
    private let heads: Tensor
    private let queryKeyValue: Tensor
    private let up: Tensor
    private let pooled: Tensor
    private let transformed: Tensor
    private let score: Tensor
    /// Keys and values of one layer, overwritten by the next.
    private let cache: KVCache
    /// Turns by no angle: positions are in the embedding.
    private let rotary: Rotary
    private let shape: AttentionShape
    private static let pageSize = 16

    init(
        _ spec: EncoderSpec, weights: Weights, rows: Int, texts: Int, backend: any EncoderBackend
    ) throws(ComputeError) {
        self.spec = spec
        self.weights = weights
        self.backend = backend
        maximumRows = max(rows, spec.contextLength)
        maximumTexts = texts
        func tensor(_ rows: Int, _ columns: Int) throws(ComputeError) -> Tensor {
            try backend.makeTensor(rows: rows, columns: columns)
        }
        hidden = try tensor(maximumRows, spec.hiddenSize)
        delta = try tensor(maximumRows, spec.hiddenSize)
        heads = try tensor(maximumRows, spec.hiddenSize)
        queryKeyValue = try tensor(maximumRows, 3 * spec.hiddenSize)
        up = try tensor(maximumRows, spec.intermediateSize)
        pooled = try tensor(texts, spec.hiddenSize)
        transformed = try tensor(texts, spec.hiddenSize)
        score = try tensor(texts, 1)
        let layout = KVLayout(
            layers: 1, keyValueHeads: spec.headCount, headDimension: spec.headDimension, pageSize: Self.pageSize,
            dtype: weights.dtype)
        cache = try backend.makeKVCache(layout, pages: maximumRows / Self.pageSize + texts)
        rotary = try backend.makeRotary(inverseFrequencies: [0], amplitude: 1, pairing: .halves, rows: maximumRows)
        var shape = AttentionShape(
            heads: spec.headCount, keyValueHeads: spec.headCount, headDimension: spec.headDimension,
            scale: 1 / Float(spec.headDimension).squareRoot())
        shape.isCausal = false
        self.shape = shape
    }

    package var weightDType: DType { weights.dtype }
    package var backendInformation: BackendInformation { backend.information }

    /// One vector for each text.
    ///
    /// - Precondition: at most `maximumTexts` texts of `maximumRows` tokens together, each at most the context, and all
    ///   ids and types within their tables.
    package func vectors(_ batch: [EncoderInput], pooling: SentenceModules.Pooling) -> [[Float]] {
        let context = run(batch)
        return context.sequences.map { span in
            var pool = Pool(pooling, columns: spec.hiddenSize)
            for row in pool.rows(span) { pool.add(backend.read(hidden, row: row)) }
            return pool.result
        }
    }

    /// The score of each text, which is a pair as a rule, before any activation.
    ///
    /// - Precondition: as `vectors`; the model has a head.
    package func scores(_ batch: [EncoderInput]) -> [Float] {
        precondition(weights.head.count == 2, "the model has no head")
        let context = run(batch)
        let texts = batch.count
        backend.gather(hidden, rows: context.sequences.map { Int32($0.firstRow) }, into: pooled)
        weights.head[0].apply(pooled, into: transformed, rows: texts, on: backend)
        backend.activate(transformed, .tanh, rows: texts)
        weights.head[1].apply(transformed, into: score, rows: texts, on: backend)
        return (0..<texts).map { backend.read(score, row: $0)[0] }
    }

    /// Leaves the last layer's states in `hidden`.
    private func run(_ batch: [EncoderInput]) -> ForwardContext {
        let context = context(batch)
        let rows = context.rowCount
        precondition(rows > 0 && rows <= maximumRows && batch.count <= maximumTexts)
        backend.beginStep()
        defer { backend.endStep() }
        backend.embed(context.tokens, weights.words, into: hidden)
        backend.embed(places(batch), weights.places, into: delta)
        norm(weights.embeddingNorm, rows: rows)
        backend.prepare(rotary, context)
        for layer in weights.layers {
            layer.queryKeyValue.apply(hidden, into: queryKeyValue, rows: rows, on: backend)
            backend.rotateAndStore(
                queryKeyValue, shape, queryNorm: nil, keyNorm: nil, epsilon: 0, rotary: rotary, cache: cache, layer: 0,
                context)
            backend.attention(queryKeyValue, shape, cache: cache, layer: 0, context, into: heads)
            layer.attentionOutput.apply(heads, into: delta, rows: rows, on: backend)
            norm(layer.attentionNorm, rows: rows)
            layer.up.apply(hidden, into: up, rows: rows, on: backend)
            backend.activate(up, spec.activation, rows: rows)
            layer.down.apply(up, into: delta, rows: rows, on: backend)
            norm(layer.outputNorm, rows: rows)
        }
        return context
    }

    /// `hidden = norm(hidden + delta)`.
    private func norm(_ norm: LayerNorm, rows: Int) {
        backend.layerNorm(
            hidden, adding: delta, weight: norm.weight, bias: norm.bias, epsilon: spec.normEpsilon, into: hidden,
            rows: rows)
    }

    private func context(_ batch: [EncoderInput]) -> ForwardContext {
        var context = ForwardContext()
        for input in batch {
            let count = input.tokens.count
            precondition(count > 0 && count <= spec.contextLength)
            let pages = (count + Self.pageSize - 1) / Self.pageSize
            let firstPage = context.pageTable.count
            context.sequences.append(
                SequenceSpan(
                    firstRow: context.rowCount, rowCount: count, startPosition: 0, firstPage: firstPage,
                    pageCount: pages))
            context.tokens += input.tokens
            context.positions += 0..<Int32(count)
            context.pageTable += Int32(firstPage)..<Int32(firstPage + pages)
        }
        return context
    }

    private func places(_ batch: [EncoderInput]) -> [Int32] {
        batch.flatMap { input in
            input.tokens.indices.map { index in
                let type = input.types.isEmpty ? 0 : Int(input.types[index])
                precondition(type >= 0 && type < spec.typeCount)
                return Int32(type * spec.positionCount + spec.positionOffset + index)
            }
        }
    }
}
