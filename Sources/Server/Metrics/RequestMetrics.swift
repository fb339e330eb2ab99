import EngineInterface
import Synchronization
import TextGeneration

/// Adds up how the requests of all endpoints go.
final class RequestMetrics: GenerationObserver, Sendable {
    struct State: Sendable {
        var submitted = 0
        /// From the start of the process's server to the first request it could answer; nil while it cannot.
        var startupSeconds: Double?
        var timeToFirstToken = Histogram(Histogram.seconds)
        var betweenTokens = Histogram(Histogram.tokenSeconds)
        var perOutputToken = Histogram(Histogram.tokenSeconds)
        var endToEnd = Histogram(Histogram.seconds)
        var queue = Histogram(Histogram.seconds)
        var prefill = Histogram(Histogram.seconds)
        var decode = Histogram(Histogram.seconds)
        var inference = Histogram(Histogram.seconds)
        var promptTokens = Histogram(Histogram.tokens)
        var uncachedPromptTokens = Histogram(Histogram.tokens)
        var generatedTokens = Histogram(Histogram.tokens)
        /// Of constraints that were not known yet.
        var constraintCompilation = Histogram(Histogram.seconds)
        /// By vLLM's names: `stop`, `length`, `abort`, `error`.
        var finished: [String: Int] = ["stop": 0, "length": 0, "abort": 0, "error": 0]
        fileprivate var recent = RecentCounts()

        /// Tokens a second over the last ten seconds.
        var throughput: Double { recent.throughput() }
        /// Cached share of the prompt tokens of the last minute; 0 without any.
        var hitRate: Double { recent.hitRate() }
    }

    private let state = Mutex(State())

    var snapshot: State { state.withLock { $0 } }

    func ready(afterSeconds seconds: Double) {
        state.withLock { state in
            if state.startupSeconds == nil { state.startupSeconds = seconds }
        }
    }

    func compiledConstraint(seconds: Double) { state.withLock { $0.constraintCompilation.add(seconds) } }

    func submitted() { state.withLock { $0.submitted += 1 } }

    func started(_ report: CacheReport, queueSeconds: Double) {
        state.withLock { state in
            state.queue.add(queueSeconds)
            state.promptTokens.add(Double(report.promptTokens))
            state.uncachedPromptTokens.add(Double(report.promptTokens - report.cachedTokens))
            state.recent.add(prompt: report.promptTokens, cached: report.cachedTokens)
        }
    }

    func token(isFirst: Bool, seconds: Double) {
        state.withLock { state in
            if isFirst { state.timeToFirstToken.add(seconds) } else { state.betweenTokens.add(seconds) }
            state.recent.add(generated: 1)
        }
    }

    func finished(_ finish: TextFinish, _ times: GenerationTimes) {
        let reason =
            switch finish.reason {
            case .stopToken, .stopString, .complete: "stop"
            case .length: "length"
            case .aborted: "abort"
            case .failed: "error"
            }
        let tokens = finish.usage.completionTokens
        state.withLock { state in
            state.finished[reason, default: 0] += 1
            state.endToEnd.add(times.total)
            state.prefill.add(times.prefill)
            state.decode.add(times.decode)
            state.inference.add(times.prefill + times.decode)
            state.generatedTokens.add(Double(tokens))
            if tokens > 1 { state.perOutputToken.add(times.decode / Double(tokens - 1)) }
        }
    }
}

/// Counts of the last minute, second by second.
private struct RecentCounts: Sendable {
    private struct Second: Sendable {
        var number = -1
        var prompt = 0
        var cached = 0
        var generated = 0
    }

    private static let span = 60
    private var seconds = Array(repeating: Second(), count: RecentCounts.span)
    private let start = ContinuousClock.now

    private var now: Int { Int((ContinuousClock.now - start).seconds) }

    mutating func add(prompt: Int = 0, cached: Int = 0, generated: Int = 0) {
        let now = now
        let slot = now % Self.span
        if seconds[slot].number != now { seconds[slot] = Second(number: now) }
        seconds[slot].prompt += prompt
        seconds[slot].cached += cached
        seconds[slot].generated += generated
    }

    func throughput() -> Double {
        let now = now
        // The second that runs is not over yet.
        let counted = seconds.filter { $0.number >= 0 && $0.number < now && $0.number >= now - 10 }
        return Double(counted.reduce(0) { $0 + $1.generated }) / 10
    }

    func hitRate() -> Double {
        let now = now
        let counted = seconds.filter { $0.number >= 0 && $0.number > now - Self.span }
        let prompt = counted.reduce(0) { $0 + $1.prompt }
        return prompt == 0 ? 0 : Double(counted.reduce(0) { $0 + $1.cached }) / Double(prompt)
    }
}
