package import Compute
package import EngineInterface

package struct OneBatchResult: Sendable {
    package let batch: OneBatch
    package let engine: EngineInformation
    /// From the first byte read to ready, one run of the model included.
    package let loadSeconds: Double
    /// Bytes resident after loading and after the last round, with the most there ever were.
    package let loadedMemory: ResidentMemory?
    package var finalMemory: ResidentMemory?
    package var rounds: [OneBatchRound] = []
}

/// One feeding of the batch.
package struct OneBatchRound: Sendable {
    /// From submission to the first token, of each request.
    package var firstTokenSeconds: [Double]
    package var seconds: Double
    /// Steps that take prompt tokens, and those that only decode.
    package var prefill: StepSum
    package var decode: StepSum

    init(firstTokenSeconds: [Double], seconds: Double, steps: [StepRecord], inputLength: Int) {
        self.firstTokenSeconds = firstTokenSeconds
        self.seconds = seconds
        prefill = StepSum()
        decode = StepSum()
        for (index, step) in steps.enumerated() {
            // Before the first step the engine waited.
            var step = step
            if index == 0 { step.gapSeconds = 0 }
            if step.sequences.contains(where: { $0.startPosition < inputLength }) {
                prefill.add(step)
            } else {
                decode.add(step)
            }
        }
    }
}

/// Steps added up.
package struct StepSum: Sendable {
    package var steps = 0
    package var rows = 0
    /// Gaps included.
    package var seconds = 0.0
    package var costs: [Operation: OperationCost] = [:]

    package init() {}

    mutating func add(_ step: StepRecord) {
        steps += 1
        rows += step.rows
        seconds += step.seconds + step.gapSeconds
        for (operation, cost) in step.costs { costs[operation, default: OperationCost()] += cost }
    }

    static func += (sum: inout StepSum, other: StepSum) {
        sum.steps += other.steps
        sum.rows += other.rows
        sum.seconds += other.seconds
        for (operation, cost) in other.costs { sum.costs[operation, default: OperationCost()] += cost }
    }

    package var rowsPerSecond: Double { seconds > 0 ? Double(rows) / seconds : 0 }
    /// Not in any operation: planning, commit, delivery, building batches.
    package var outsideSeconds: Double { seconds - costs.values.reduce(0) { $0 + $1.seconds } }
}
