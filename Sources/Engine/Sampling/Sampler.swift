import Compute
import EngineInterface
import Scheduling

/// Turns each sequence's sampling parameters and history into the `SamplingRow` the backend draws from. Knows nothing
/// of logits; holds per-sequence penalty state so that a step costs no more than the tokens that are new.
package struct Sampler {
    private let baseSeed: UInt64
    private var histories: [Int: PenaltyHistory] = [:]
    private var constraints = Constraints()

    /// - Parameter baseSeed: seeds the requests that bring no seed (`--random-seed`).
    package init(baseSeed: UInt64) {
        self.baseSeed = baseSeed
    }

    /// - Parameters:
    ///   - row: row of the logits tensor.
    ///   - sequence: scheduler's number of the sequence.
    ///   - state: its parameters and history, also from before a retraction.
    mutating func row(_ row: Int, sequence: Int, _ state: SamplingState) -> SamplingRow {
        let sampling = state.sampling
        var result = SamplingRow(row: row)
        // In ascending order of ids, so that the same request always gives the same row.
        for (id, value) in sampling.logitBias.sorted(by: { $0.key < $1.key }) { result.biases.append((id, value)) }
        for id in state.forbiddenTokenIDs.sorted() { result.biases.append((id, -Float.infinity)) }
        if PenaltyHistory.isNeeded(sampling) {
            histories[sequence, default: PenaltyHistory()].update(prompt: state.prompt, generated: state.generated)
            histories[sequence]?.apply(sampling, to: &result)
        }
        result.temperature = sampling.temperature
        result.topK = sampling.topK
        result.topP = sampling.topP
        result.minP = sampling.minP
        if sampling.temperature > 0 {
            let seed = sampling.seed ?? RandomStream.derivedSeed(base: baseSeed, sequence: sequence)
            result.uniform = RandomStream(seed: seed).uniform(at: state.generated.count)
        }
        result.topLogprobs = sampling.topLogprobs
        if sampling.topLogprobs != nil { result.scoredIDs = sampling.logprobTokenIDs }
        if let constraint = state.constraint { result.allowed = constraints.mask(sequence, constraint, state) }
        return result
    }

    /// What follows from the token that was drawn for a constrained sequence.
    mutating func advance(sequence: Int, token: Int32, _ state: SamplingState) -> Constraints.Outcome {
        guard let constraint = state.constraint else { return Constraints.Outcome() }
        return constraints.advance(sequence, token: token, constraint, state)
    }

    /// A row that draws nothing, but tells the log-probability of the prompt's token at this index.
    func scoringRow(_ row: Int, token: Int, _ state: SamplingState) -> SamplingRow {
        var result = SamplingRow(row: row)
        result.temperature = 0
        result.topLogprobs = state.scoring?.top ?? 0
        result.scoredIDs = [state.prompt[token]] + state.sampling.logprobTokenIDs
        return result
    }

    /// Drops what is remembered of a sequence that has ended.
    package mutating func forget(sequence: Int) {
        histories[sequence] = nil
        constraints.forget(sequence)
    }
}
