import Compute
import EngineInterface

/// Which tokens a sequence has seen and how often it produced each; grown token by token, never rebuilt.
struct PenaltyHistory {
    private var seen: Set<Int32> = []
    private var counts: [Int32: Int32] = [:]
    private var promptCounted = false
    private var generatedCounted = 0

    static func isNeeded(_ sampling: SamplingParameters) -> Bool {
        sampling.repetitionPenalty != 1 || sampling.frequencyPenalty != 0 || sampling.presencePenalty != 0
    }

    mutating func update(prompt: [Int32], generated: [Int32]) {
        if !promptCounted {
            seen.formUnion(prompt)
            promptCounted = true
        }
        for id in generated[generatedCounted...] {
            seen.insert(id)
            counts[id, default: 0] += 1
        }
        generatedCounted = generated.count
    }

    /// In ascending order of ids, so that the same history always gives the same row.
    func apply(_ sampling: SamplingParameters, to row: inout SamplingRow) {
        if sampling.repetitionPenalty != 1 {
            row.repetitionPenalty = sampling.repetitionPenalty
            row.repeated = seen.sorted()
        }
        if sampling.frequencyPenalty != 0 || sampling.presencePenalty != 0 {
            row.frequencyPenalty = sampling.frequencyPenalty
            row.presencePenalty = sampling.presencePenalty
            row.counts = counts.sorted(by: { $0.key < $1.key }).map { (id: $0.key, count: $0.value) }
        }
    }
}
