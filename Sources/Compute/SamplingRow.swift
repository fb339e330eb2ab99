/// How to draw one token from one row of logits. Steps, in this order:
/// 0. only the tokens of `allowed` can be drawn, if it has any;
/// 1. bias: `logits[id] += value` for each of `biases` (duplicates add up; -infinity forbids);
/// 2. repetition: for each id of `repeated`, positive logits are divided and negative multiplied by `repetitionPenalty`;
/// 3. counts: `logits[id] -= frequencyPenalty * count + presencePenalty`;
/// 4. temperature 0: the largest (the lowest id wins ties). Otherwise divide by it, keep `topK`, then `topP`, then
///    `minP` (each relative to the renormalized rest, as SGLang and vLLM apply them), and take the first token, in order
///    of descending probability (lowest id first among equals), at which the running sum exceeds `uniform` times the mass.
/// Log-probabilities are those of the raw logits, before step 0.
package struct SamplingRow: Sendable, Equatable {
    /// Row of the logits tensor.
    package var row: Int
    /// One bit per id, 1 for those that may be drawn: bit `id & 63` of word `id >> 6`. Empty: all may.
    package var allowed: [UInt64] = []
    package var biases: [(id: Int32, value: Float)] = []
    package var repeated: [Int32] = []
    package var repetitionPenalty: Float = 1
    package var counts: [(id: Int32, count: Int32)] = []
    package var frequencyPenalty: Float = 0
    package var presencePenalty: Float = 0
    package var temperature: Float = 1
    package var topK: Int = -1
    package var topP: Float = 1
    package var minP: Float = 0
    /// In [0, 1): the request's own random stream, so that neighbours do not matter.
    package var uniform: Float = 0
    /// Number of alternatives whose log-probability is wanted; nil: not even the sampled token's.
    package var topLogprobs: Int?
    /// With `topLogprobs`: tokens of the vocabulary whose log-probability is wanted as well.
    package var scoredIDs: [Int32] = []

    package init(row: Int) { self.row = row }

    package static func == (a: SamplingRow, b: SamplingRow) -> Bool {
        a.row == b.row && a.allowed == b.allowed && a.biases.elementsEqual(b.biases, by: ==) && a.repeated == b.repeated
            && a.repetitionPenalty == b.repetitionPenalty && a.counts.elementsEqual(b.counts, by: ==)
            && a.frequencyPenalty == b.frequencyPenalty && a.presencePenalty == b.presencePenalty
            && a.temperature == b.temperature && a.topK == b.topK && a.topP == b.topP && a.minP == b.minP
            && a.uniform == b.uniform && a.topLogprobs == b.topLogprobs
            && a.scoredIDs == b.scoredIDs
    }
}

package struct SampledToken: Sendable, Equatable {
    package var id: Int32
    package var logprob: Float?
    /// Best first.
    package var top: [(id: Int32, logprob: Float)] = []
    /// Of `SamplingRow.scoredIDs`, in their order.
    package var scores: [Float] = []

    package init(
        id: Int32, logprob: Float? = nil, top: [(id: Int32, logprob: Float)] = [], scores: [Float] = []
    ) {
        self.id = id
        self.logprob = logprob
        self.top = top
        self.scores = scores
    }

    package static func == (a: SampledToken, b: SampledToken) -> Bool {
        a.id == b.id && a.logprob == b.logprob && a.top.elementsEqual(b.top, by: ==)
            && a.scores == b.scores
    }
}
