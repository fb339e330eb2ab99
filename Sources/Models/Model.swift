package import Compute
package import Tensors

/// A loaded model: weights packed for one backend, buffers for the largest step. Confined to the engine thread.
package protocol Model: AnyObject {
    /// Architecture name of `config.json`, for example `LlamaForCausalLM`.
    var architecture: String { get }
    var vocabularySize: Int { get }
    /// Longest sequence the positions of this model cover.
    var contextLength: Int { get }
    /// Most rows one call of `forward` takes.
    var maximumRows: Int { get }
    /// Most rows whose logits one call of `forward` gives.
    var maximumSampledRows: Int { get }
    /// Type of the matrices in memory, after the conversion that was asked for.
    var weightDType: DType { get }
    /// Layout of the KV pages this model needs, for a page size.
    func kvLayout(pageSize: Int) -> KVLayout

    /// Feeds `context` (1...maximumRows rows), writing keys and values of all rows to `cache`.
    /// - Returns: logits `[context.sampledRows.count, vocabularySize]`, in a buffer that the next call overwrites.
    func forward(_ context: ForwardContext, cache: KVCache) -> Tensor

    /// Numbers of a hidden state.
    var hiddenSize: Int { get }
    /// After `forward`: the normalized hidden states that the logits were made from, `[context.sampledRows.count,
    /// hiddenSize]`, in a buffer that the next call overwrites.
    var sampledStates: Tensor { get }
}
