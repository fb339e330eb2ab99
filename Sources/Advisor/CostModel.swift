package import Scheduling

/// How long a step takes on one machine with one model, from timings of its kernels. Piecewise linear in the rows, since
/// the first rows cost what reading the weights costs and the later ones what multiplying costs.
package struct CostModel: Sendable, Equatable {
    package struct Point: Sendable, Equatable {
        package var rows: Int
        package var seconds: Double

        package init(rows: Int, seconds: Double) {
            self.rows = rows
            self.seconds = seconds
        }
    }

    /// Everything but attention and the output projection, by rows of the step, ascending.
    package var layers: [Point]
    /// Output projection and sampling, by sampled rows, ascending.
    package var head: [Point]
    /// For each token of context that a decoding sequence reads.
    package var decodeContextToken: Double
    /// For each pair of a prompt row and a token it sees.
    package var prefillPair: Double
    /// Planning, commit and delivery: for each step, and for each sequence in it that gets a token. What a model of this
    /// engine's own demo size took outside of its operations (`radish bench one-batch --profile`); larger models take
    /// the same, where it is lost in the rest.
    package var step: Double
    package var sampled: Double

    package init(
        layers: [Point], head: [Point], decodeContextToken: Double, prefillPair: Double, step: Double = 0.000025,
        sampled: Double = 0.0000075
    ) {
        self.layers = layers
        self.head = head
        self.decodeContextToken = decodeContextToken
        self.prefillPair = prefillPair
        self.step = step
        self.sampled = sampled
    }

    /// Seconds of a planned step.
    package func seconds(_ plan: StepPlan) -> Double {
        var rows = 0
        var samples = 0
        var attention = 0.0
        for entry in plan.entries {
            let count = entry.tokens.count
            rows += count
            if entry.samples { samples += 1 }
            if count == 1 {
                attention += Double(entry.startPosition + 1) * decodeContextToken
            } else {
                attention += (Double(count) * Double(entry.startPosition) + Double(count * count) / 2) * prefillPair
            }
        }
        return step + Double(samples) * sampled + Self.interpolate(layers, rows)
            + (samples > 0 ? Self.interpolate(head, samples) : 0) + attention
    }

    /// Seconds for one token of each of `sequences` at a context of `context` tokens.
    package func decodeStep(sequences: Int, context: Int) -> Double {
        step + Double(sequences) * sampled + Self.interpolate(layers, sequences) + Self.interpolate(head, sequences)
            + Double(sequences * context) * decodeContextToken
    }

    /// Seconds to feed a prompt alone, in chunks.
    package func prefill(tokens: Int, chunk: Int) -> Double {
        var seconds = 0.0
        for start in stride(from: 0, to: tokens, by: max(1, chunk)) {
            let rows = min(chunk, tokens - start)
            seconds += step + Self.interpolate(layers, rows)
            seconds += (Double(rows) * Double(start) + Double(rows * rows) / 2) * prefillPair
        }
        return seconds + sampled + Self.interpolate(head, 1)
    }

    /// The line through the neighbouring points; through the origin's side flat, beyond the end as steep as at the end.
    static func interpolate(_ points: [Point], _ rows: Int) -> Double {
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
