import Compute
package import EngineInterface
import Scheduling

/// Turns each sequence's sampling parameters and history into the `SamplingRow` the backend draws from. Knows nothing
/// of logits; holds per-sequence penalty state so that a step costs no more than the tokens that are new.
package struct Sampler {
    private let endOfSequenceIDs: Set<Int32>
    private let baseSeed: UInt64
    private var histories: [Int: PenaltyHistory] = [:]

    /// - Parameter baseSeed: seeds the requests that bring no seed (`--random-seed`).
    package init(endOfSequenceIDs: Set<Int32>, baseSeed: UInt64) {
        self.endOfSequenceIDs = endOfSequenceIDs
        self.baseSeed = baseSeed
    }

    /// - Parameters:
    ///   - row: row of the logits tensor.
    ///   - sequence: scheduler's number of the sequence.
    ///   - generated: tokens generated so far, also those from before a retraction.
    mutating func row(
        _ row: Int, sequence: Int, sampling: SamplingParameters, prompt: [Int32], generated: [Int32]
    ) -> SamplingRow {
        var result = SamplingRow(row: row)
        for (id, value) in sampling.logitBias.sorted(by: { $0.key < $1.key }) { result.biases.append((id, value)) }
        if generated.count < sampling.minTokens {
            let ends = sampling.ignoreEOS ? sampling.stopTokenIDs : sampling.stopTokenIDs.union(endOfSequenceIDs)
            for id in ends.sorted() { result.biases.append((id, -Float.infinity)) }
        }
        if PenaltyHistory.isNeeded(sampling) {
            histories[sequence, default: PenaltyHistory()].update(prompt: prompt, generated: generated)
            histories[sequence]?.apply(sampling, to: &result)
        }
        result.temperature = sampling.temperature
        result.topK = sampling.topK
        result.topP = sampling.topP
        result.minP = sampling.minP
        if sampling.temperature > 0 {
            let seed = sampling.seed ?? RandomStream.derivedSeed(base: baseSeed, sequence: sequence)
            result.uniform = RandomStream(seed: seed).uniform(at: generated.count)
        }
        result.topLogprobs = sampling.topLogprobs
        return result
    }

    /// Drops what is remembered of a sequence that has ended.
    package mutating func forget(sequence: Int) { histories[sequence] = nil }
}
