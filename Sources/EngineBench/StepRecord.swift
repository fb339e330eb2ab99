package import Compute
import Synchronization

/// A kind of operation, as a profile lists it.
package enum Operation: Hashable, Sendable {
    case embed, rotaryTable, norm, rotateAndStore, attention, gatedSiLU, elements, route, gather, copyPage, sample
    /// A product with a packed weight, told apart by its shape.
    case linear(outputs: Int, inputs: Int, format: WeightFormat)
    /// The same with the gated SiLU of its halves.
    case gatedLinear(outputs: Int, inputs: Int, format: WeightFormat)
}

/// What the operations of one kind took in a step.
package struct OperationCost: Sendable, Equatable {
    package var calls = 0
    package var seconds = 0.0
    /// Multiplications and additions, where the operation is about them.
    package var arithmetic = 0.0
    /// Bytes of weights, or of keys and values, that have to be read at least once.
    package var bytes = 0.0

    package init() {}

    package static func += (sum: inout OperationCost, other: OperationCost) {
        sum.calls += other.calls
        sum.seconds += other.seconds
        sum.arithmetic += other.arithmetic
        sum.bytes += other.bytes
    }
}

/// One step of the engine.
package struct StepRecord: Sendable {
    package var sequences: [SequenceSpan] = []
    /// From the end of the step before: planning, commit, delivery, and waiting if nothing was to be done.
    package var gapSeconds = 0.0
    /// Of the step itself, operations included.
    package var seconds = 0.0
    package var costs: [Operation: OperationCost] = [:]

    package init() {}

    package var rows: Int { sequences.reduce(0) { $0 + $1.rowCount } }
}

/// Takes records from the engine thread to whoever evaluates them.
package final class StepRecorder: Sendable {
    private let records = Mutex<[StepRecord]>([])

    package init() {}

    package func append(_ record: StepRecord) { records.withLock { $0.append(record) } }

    /// The records since the last call.
    package func take() -> [StepRecord] {
        records.withLock { records in
            defer { records = [] }
            return records
        }
    }
}
