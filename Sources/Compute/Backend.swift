package import Tensors

/// The operations models are written in. `rows` always means: the first `rows` rows of the given tensors.
///
/// **Numerics rule.** A row's result depends on that row (and, in attention, on its own prefix) and on nothing else:
/// not on `rows`, the order of rows, the number of threads or chunk boundaries. Every sum is taken in one fixed order.
///
/// Not Sendable: created, used and dropped on the engine thread. Shapes that do not fit are our own misuse and trap;
/// what comes from a checkpoint is checked by `Models` before it gets here.
package protocol Backend: AnyObject {
    var information: BackendInformation { get }

    // MARK: Memory (load time; may throw `outOfMemory`)

    func makeTensor(rows: Int, columns: Int) throws(ComputeError) -> Tensor
    /// Concatenates the given tensors (any floating type) into one float32 vector.
    func makeVector(_ parts: [TensorView]) throws(ComputeError) -> Vector
    /// Packs weights `[outputs_i, inputs]` (float32, float16 or bfloat16, all of one type and `inputs`) one below the
    /// other into one weight `[Σ outputs_i, inputs]`: fused q/k/v or gate/up projections.
    func packWeight(_ parts: [TensorView], as format: WeightFormat) throws(ComputeError) -> PackedWeight
    /// As `packWeight`, of matrices of codes, which stay codes in memory. Products are those of the matrices widened to
    /// `dtype` beforehand, bit by bit; where all of them quantize their inputs, those of `WeightFormat.int8`.
    ///
    /// - Returns: nil where they have to be widened: this backend has no kernel for their form, they differ in it, or a
    ///   number may not fit `dtype`.
    func packCoded(
        _ parts: [any CodedMatrix], widenedTo dtype: DType, name: String
    ) throws(ComputeError) -> PackedWeight?
    /// Opens what an earlier start packed and kept under the same key.
    ///
    /// - Parameter key: everything that the weights depend on beside this backend.
    func openWeightCache(_ directory: String, key: String) -> WeightCacheState
    /// A weight of the open cache; nil: it has to be packed.
    func cachedWeight(_ name: String) -> PackedWeight?
    /// Keeps a weight for the cache, if there is one to be made.
    func cache(_ weight: PackedWeight, as name: String)
    /// Writes what was kept. Once, when all weights are packed.
    ///
    /// - Returns: why that did not work; nil if it did or nothing was to be written.
    func closeWeightCache() -> String?
    /// Zero-filled pages.
    func makeKVCache(_ layout: KVLayout, pages: Int) throws(ComputeError) -> KVCache
    /// - Parameters:
    ///   - inverseFrequencies: one per rotated pair.
    ///   - amplitude: multiplies cosine and sine (yarn's attention factor), normally 1.
    ///   - pairing: which dimensions form a pair.
    ///   - rows: most rows of a step.
    func makeRotary(
        inverseFrequencies: [Float], amplitude: Float, pairing: RotaryPairing, rows: Int
    ) throws(ComputeError) -> Rotary

    // MARK: A step

    /// Wakes the workers: between `beginStep` and `endStep` they wait without sleeping.
    func beginStep()
    func endStep()

    /// `output[r] = weight[tokens[r]]`, from the packed rows (so that tied embeddings exist once).
    func embed(_ tokens: [Int32], _ weight: PackedWeight, into output: Tensor)

    /// `output[r] = x[r] / sqrt(mean(x[r]²) + epsilon) * weight`.
    func rmsNorm(_ x: Tensor, weight: Vector, epsilon: Float, into output: Tensor, rows: Int)

    /// `residual[r] += delta[r]`, then as `rmsNorm(residual)`.
    func addRMSNorm(
        residual: Tensor, delta: Tensor, weight: Vector, epsilon: Float, into output: Tensor, rows: Int)

    /// `output[r] = x[r] · weightᵀ + bias`: `x` `[rows, inputs]`, `output` `[rows, outputs]`. With bfloat16 weights `x` is
    /// rounded to bfloat16 first; sums are float32 in order of the inputs. With quantized weights see `WeightFormat`.
    func linear(_ x: Tensor, _ weight: PackedWeight, bias: Vector?, into output: Tensor, rows: Int)

    /// `output[r][i] = silu(gateUp[r][i]) * gateUp[r][n + i]` with `n = output.columns`; `gateUp` `[rows, 2n]`.
    func gatedSiLU(_ gateUp: Tensor, into output: Tensor, rows: Int)

    /// As `linear` into `scratch` `[rows, 2n]` and then `gatedSiLU`, which is what a backend does that has no better way.
    /// What is left in `scratch` is not defined.
    func gatedLinear(
        _ x: Tensor, _ gateUp: PackedWeight, bias: Vector?, scratch: Tensor, into output: Tensor, rows: Int)

    /// As `gatedSiLU`, with another function of the gate and of what it weighs.
    func gated(_ gateUp: Tensor, by function: GateFunction, into output: Tensor, rows: Int)

    /// `x[r] = x[r] * factor`; 0 clears whatever is there.
    func scale(_ x: Tensor, by factor: Float, rows: Int)

    /// `x[r] = x[r] * sigmoid(gates[r][0])`; `gates` `[rows, 1]`.
    func scale(_ x: Tensor, byGates gates: Tensor, rows: Int)

    /// `x[r] = cap * tanh(x[r] / cap)`.
    func softCap(_ x: Tensor, cap: Float, rows: Int)

    /// `x[r] += delta[r]`.
    func add(_ delta: Tensor, to x: Tensor, rows: Int)

    /// As `rmsNorm`, of some columns in their place.
    func normalize(_ x: Tensor, columns: Range<Int>, weight: Vector, epsilon: Float, rows: Int)

    /// Copies `count` blocks of columns.
    func copy(
        _ x: Tensor, _ from: ColumnBlocks, into output: Tensor, _ to: ColumnBlocks, count: Int, rows: Int)

    /// As `linear`, for each weight from a block of columns of its own into a block of columns of its own.
    func linear(
        _ x: Tensor, _ from: ColumnBlocks, _ weights: [PackedWeight], into output: Tensor, _ to: ColumnBlocks,
        rows: Int)

    /// Chooses the experts of each row from its `logits` `[rows, experts]`.
    ///
    /// - Parameter bias: added to the scores for the choice, not for the weights.
    func route(_ logits: Tensor, _ rule: RoutingRule, bias: Vector?, rows: Int) -> Routing

    /// `output[rows[i]] += weights[i] * x[i]`. No row is named twice.
    func accumulate(_ x: Tensor, weights: [Float], rows: [Int32], into output: Tensor)

    /// Fills the rotary table for the positions of this step. Once per step, before the first layer.
    func prepare(_ rotary: Rotary, _ context: ForwardContext)

    /// `qkv` `[rows, (heads + 2·kvHeads)·headDimension]`: normalizes each head of q and k where norms are given
    /// (Qwen3), rotates q and k, writes k and v to the pages of `layer`. q stays in `qkv`, rotated. Where the pages are
    /// latent (`KVLayout.isLatent`) there is no v: `[rows, (heads + kvHeads)·headDimension]`.
    func rotateAndStore(
        _ qkv: Tensor, _ shape: AttentionShape, queryNorm: Vector?, keyNorm: Vector?, epsilon: Float,
        rotary: Rotary, cache: KVCache, layer: Int, _ context: ForwardContext)

    /// Causal attention of the q part of `qkv` over the pages of `layer`, into `output` `[rows, heads·headDimension]`.
    /// A row at position p sees positions `max(0, p - window + 1) ... p`. Of latent pages a key is its own value.
    ///
    /// - Parameter sinks: a score of each head that takes its share of the softmax and has no value.
    func attention(
        _ qkv: Tensor, _ shape: AttentionShape, sinks: Vector?, cache: KVCache, layer: Int,
        _ context: ForwardContext, into output: Tensor)

    /// `output[i] = x[rows[i]]`.
    func gather(_ x: Tensor, rows: [Int32], into output: Tensor)

    /// Copies the first `tokens` slots of page `source` to page `destination`, in all layers. Source and destination
    /// differ.
    func copyPage(_ cache: KVCache, from source: Int32, to destination: Int32, tokens: Int)

    /// Samples one token for each element of `rows` from `logits[row]`; see `SamplingRow`.
    func sample(_ logits: Tensor, _ rows: [SamplingRow]) -> [SampledToken]

    /// Copies one row to the host (goldens, tests, embeddings).
    func read(_ x: Tensor, row: Int) -> [Float]
}

extension Backend {
    package func openWeightCache(_ directory: String, key: String) -> WeightCacheState {
        .unusable("\(information.name) packs no weights")
    }
    package func cachedWeight(_ name: String) -> PackedWeight? { nil }
    package func cache(_ weight: PackedWeight, as name: String) {}
    package func closeWeightCache() -> String? { nil }

    package func packCoded(
        _ parts: [any CodedMatrix], widenedTo dtype: DType, name: String
    ) throws(ComputeError) -> PackedWeight? { nil }

    /// Attention without sinks.
    package func attention(
        _ qkv: Tensor, _ shape: AttentionShape, cache: KVCache, layer: Int, _ context: ForwardContext,
        into output: Tensor
    ) {
        attention(qkv, shape, sinks: nil, cache: cache, layer: layer, context, into: output)
    }

    /// Packs weights as they are stored.
    package func packWeight(_ parts: [TensorView]) throws(ComputeError) -> PackedWeight {
        try packWeight(parts, as: .stored)
    }

    package func gatedLinear(
        _ x: Tensor, _ gateUp: PackedWeight, bias: Vector?, scratch: Tensor, into output: Tensor, rows: Int
    ) {
        linear(x, gateUp, bias: bias, into: scratch, rows: rows)
        gatedSiLU(scratch, into: output, rows: rows)
    }
}

package struct AttentionShape: Sendable, Hashable {
    package var heads: Int
    package var keyValueHeads: Int
    package var headDimension: Int
    /// Multiplies q·k, normally `1/sqrt(headDimension)`.
    package var scale: Float
    /// Sliding window in tokens; nil sees everything.
    package var window: Int?
    /// A row sees no position after its own. False: every row sees the whole of its sequence as far as the step holds
    /// it, which is then the whole sequence (encoders).
    package var isCausal = true
    /// A score s counts as cap · tanh(s / cap); nil: as it is.
    package var scoreCap: Float?

    package init(
        heads: Int, keyValueHeads: Int, headDimension: Int, scale: Float, window: Int? = nil, scoreCap: Float? = nil
    ) {
        self.heads = heads
        self.keyValueHeads = keyValueHeads
        self.headDimension = headDimension
        self.scale = scale
        self.window = window
        self.scoreCap = scoreCap
    }
}

/// What a gated MLP does with a gate g and the element u that it weighs.
package enum GateFunction: Sendable, Hashable {
    /// `g · sigmoid(g) · u`
    case silu
    /// GELU by its approximation with tanh (Hendrycks and Gimpel 2016, arXiv 1606.08415), times u.
    case geluTanh
    /// gpt-oss: g at most `limit`, u within ±`limit`, then `g · sigmoid(alpha · g) · (u + 1)`.
    case clamped(limit: Float, alpha: Float)
}

/// Columns `first + i·stride ..< first + i·stride + width` for i = 0, 1, ...: the parts of heads, for example.
package struct ColumnBlocks: Sendable, Hashable {
    package var first: Int
    package var stride: Int
    package var width: Int

    package init(first: Int = 0, stride: Int, width: Int) {
        self.first = first
        self.stride = stride
        self.width = width
    }

    /// `count` such blocks lie within rows of `columns`.
    func fits(_ count: Int, columns: Int) -> Bool {
        first >= 0 && width > 0 && stride >= width && (count == 0 || first + (count - 1) * stride + width <= columns)
    }
}

/// Which two dimensions of a head the rotary embedding turns together.
package enum RotaryPairing: Sendable {
    /// i and i + d/2 (GPT-NeoX, Hugging Face Llama).
    case halves
    /// 2i and 2i + 1 (GPT-J, original Llama).
    case interleaved
}

package struct BackendInformation: Sendable, Equatable {
    /// `cpu`.
    package var name: String
    /// Kernel path, for example `avx512bf16`.
    package var kernels: String
    package var threads: Int

    package init(name: String, kernels: String, threads: Int) {
        self.name = name
        self.kernels = kernels
        self.threads = threads
    }
}

/// What was found where packed weights are kept.
package enum WeightCacheState: Sendable, Equatable {
    case mapped(bytes: Int, path: String)
    /// Nothing: it will be made.
    case absent
    /// Something else, which will be replaced; or nothing can be kept there. A sentence without its point.
    case unusable(String)
}

package enum ComputeError: Error, Equatable, Sendable {
    case outOfMemory(bytes: Int, purpose: String)
    case unsupportedDType(tensor: String, dtype: DType, supported: [DType])
    /// `RADISH_CPU` names a path this machine cannot run.
    case unknownKernelPath(requested: String, available: [String])
}
