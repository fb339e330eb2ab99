package import Statistics

/// What the steps of a model take on one machine, as an engine was seen to make them: from the end of one step to the end
/// of the next, with planning, sampling, commit and delivery.
package struct StepCosts: Sendable, Equatable {
    /// Of a step with so many rows of one new sequence, the last of which is sampled; ascending.
    package var rows: [TimedRows] = []
    /// What sampling so many rows adds to sampling one, negative for none; ascending.
    package var sampled: [TimedRows] = []
    /// For each token that lies before a sequence's rows, by these rows; ascending.
    package var context: [TimedRows] = []

    package init() {}

    /// Costs of a model of which this one and a longer one are the beginnings: each layer more costs the same.
    ///
    /// - Parameters:
    ///   - longer: measured at the same points.
    ///   - share: layers that the model has more than this one, in shares of those that `longer` has more.
    package func extrapolated(through longer: StepCosts, by share: Double) -> StepCosts {
        func line(_ points: [TimedRows], _ others: [TimedRows], least: Double) -> [TimedRows] {
            zip(points, others).map {
                TimedRows(rows: $0.rows, seconds: max(least, $0.seconds + ($1.seconds - $0.seconds) * share))
            }
        }
        var result = StepCosts()
        result.rows = line(rows, longer.rows, least: 0)
        result.sampled = line(sampled, longer.sampled, least: -.infinity)
        result.context = line(context, longer.context, least: 0)
        return result
    }
}
