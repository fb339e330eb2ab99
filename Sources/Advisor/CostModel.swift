package import Scheduling
package import Statistics

/// How long a step takes on one machine with one model, as measured. Piecewise linear in the rows, since the first rows
/// cost what reading the weights costs and the later ones what multiplying costs.
package struct CostModel: Sendable, Equatable {
    /// A step with so many rows, ascending: those of one new sequence, the last of which is sampled.
    package var rows: [TimedRows]
    /// What sampling so many rows adds to sampling one, negative for none; ascending.
    package var sampled: [TimedRows]
    /// Attention of all layers, for each token that lies before the rows of a sequence, by these rows, ascending.
    package var context: [TimedRows]

    package init(rows: [TimedRows], sampled: [TimedRows], context: [TimedRows]) {
        self.rows = rows
        self.sampled = sampled
        self.context = context
    }

    /// Seconds of a planned step.
    package func seconds(_ plan: StepPlan) -> Double {
        seconds(
            plan.entries.map { (start: $0.startPosition, rows: $0.tokens.count) },
            sampled: plan.entries.count { $0.samples })
    }

    /// Seconds for one token of each of `sequences` at a context of `context` tokens.
    package func decodeStep(sequences: Int, context: Int) -> Double {
        seconds(Array(repeating: (start: context, rows: 1), count: sequences), sampled: sequences)
    }

    /// Seconds to feed a prompt alone, in chunks.
    package func prefill(tokens: Int, chunk: Int) -> Double {
        let chunk = max(1, chunk)
        return stride(from: 0, to: tokens, by: chunk).reduce(0) { sum, start in
            let rows = min(chunk, tokens - start)
            return sum + seconds([(start, rows)], sampled: start + rows == tokens ? 1 : 0)
        }
    }

    private func seconds(_ spans: [(start: Int, rows: Int)], sampled count: Int) -> Double {
        let rows = spans.reduce(0) { $0 + $1.rows }
        guard rows > 0 else { return 0 }
        var seconds = Self.interpolate(self.rows, rows) + Self.interpolate(sampled, count)
        // All rows were taken for one sequence's; rows of different sequences do not see each other.
        let pair = Self.interpolate(context, rows) / Double(rows)
        seconds -= pair * Double(rows * rows) / 2
        for span in spans {
            seconds += pair * Double(span.rows * span.rows) / 2
            seconds += Double(span.start) * Self.interpolate(context, span.rows)
        }
        return seconds
    }

    /// The line through the neighbouring points; before the first one flat, beyond the end as steep as at the end.
    static func interpolate(_ points: [TimedRows], _ rows: Int) -> Double {
        guard let first = points.first, let last = points.last else { return 0 }
        if rows <= first.rows { return first.seconds }
        guard let above = points.firstIndex(where: { $0.rows >= rows }) else {
            guard points.count > 1 else { return last.seconds * Double(rows) / Double(max(1, last.rows)) }
            let before = points[points.count - 2]
            let slope = (last.seconds - before.seconds) / Double(last.rows - before.rows)
            return last.seconds + slope * Double(rows - last.rows)
        }
        let (low, high) = (points[above - 1], points[above])
        let share = Double(rows - low.rows) / Double(high.rows - low.rows)
        return low.seconds + (high.seconds - low.seconds) * share
    }
}
