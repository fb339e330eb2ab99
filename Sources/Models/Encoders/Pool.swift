import Checkpoint
import Compute

/// One vector out of the states of a text's tokens. Sums are taken in Double, in the order of the tokens.
struct Pool {
    private let pooling: SentenceModules.Pooling
    private var values: [Double]
    private var count = 0

    init(_ pooling: SentenceModules.Pooling, columns: Int) {
        self.pooling = pooling
        values = [Double](repeating: pooling == .max ? -.infinity : 0, count: columns)
    }

    /// Rows of a text whose states `add` wants.
    func rows(_ span: SequenceSpan) -> Range<Int> {
        let end = span.firstRow + span.rowCount
        return switch pooling {
        case .cls: span.firstRow..<span.firstRow + 1
        case .last: end - 1..<end
        case .mean, .max, .meanSqrtLength: span.firstRow..<end
        }
    }

    mutating func add(_ state: [Float]) {
        count += 1
        if pooling == .max {
            for i in values.indices { values[i] = Swift.max(values[i], Double(state[i])) }
        } else {
            for i in values.indices { values[i] += Double(state[i]) }
        }
    }

    var result: [Float] {
        let divisor: Double =
            switch pooling {
            case .cls, .last, .max: 1
            case .mean: Double(count)
            case .meanSqrtLength: Double(count).squareRoot()
            }
        return values.map { Float($0 / divisor) }
    }
}
