import EngineInterface
import Scheduling

/// Times the phases of steps while a recording runs; costs one comparison otherwise. Confined to the engine thread.
package final class PhaseTrace {
    /// A recording that nobody ends must not fill the memory: some 250,000 steps.
    private static let limit = 1_000_000

    private let clock = ContinuousClock()
    private var start: ContinuousClock.Instant?
    private var spans: [ProfileSpan] = []

    package init() {}

    func begin() {
        spans.removeAll()
        start = clock.now
    }

    func end() -> [ProfileSpan] {
        start = nil
        defer { spans = [] }
        return spans
    }

    /// - Parameter plan: what the step feeds, shown beside its phases.
    func measure<Value>(_ name: String, _ plan: StepPlan? = nil, _ body: () -> Value) -> Value {
        guard let start, spans.count < Self.limit else { return body() }
        let before = clock.now
        let value = body()
        spans.append(
            ProfileSpan(
                name: name, start: (before - start) / .microseconds(1),
                duration: (clock.now - before) / .microseconds(1), rows: plan?.rowCount,
                sequences: plan?.entries.count))
        return value
    }
}
