import Glibc
import LoadBench
import Statistics
import Synchronization

/// A bar on standard error that fills as answers come in; nothing where that is no terminal.
final class BenchProgress: Sendable {
    private struct State {
        var done = 0
        var failed = 0
        var tokens = 0
        var lastShown = 0.0
    }

    private let total: Int
    private let shows: Bool
    private let start = LoadClient.now
    private let state = Mutex(State())

    init(total: Int, isHidden: Bool) {
        self.total = total
        shows = !isHidden && isatty(STDERR_FILENO) != 0
    }

    func add(_ outcome: RequestOutcome) {
        add(failed: outcome.isSuccess ? 0 : 1, tokens: outcome.isSuccess ? outcome.outputTokens : 0)
    }

    /// One more answer, of which nothing is known.
    func addOne() { add(failed: 0, tokens: 0) }

    private func add(failed: Int, tokens: Int) {
        guard shows else { return }
        let now = LoadClient.now
        let line = state.withLock { state -> String? in
            state.done += 1
            state.failed += failed
            state.tokens += tokens
            guard now - state.lastShown > 0.1 || state.done == total else { return nil }
            state.lastShown = now
            let filled = total > 0 ? state.done * 30 / total : 30
            let bar =
                String(repeating: "█", count: min(30, filled)) + String(repeating: "░", count: max(0, 30 - filled))
            let rate = Double(state.tokens) / max(now - start, 0.001)
            let failed = state.failed > 0 ? ", \(state.failed) failed" : ""
            let speed = state.tokens > 0 ? "  \(rate.fixed(0)) tok/s" : ""
            return "\r\u{1B}[K\(bar) \(state.done)/\(total)  \((now - start).fixed(1)) s\(speed)\(failed)"
        }
        if let line { StandardStreams.note(line) }
    }

    func end() { if shows { StandardStreams.note("\r\u{1B}[K") } }
}
