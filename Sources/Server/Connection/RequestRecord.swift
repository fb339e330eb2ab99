import Logging
import Synchronization
import WireTypes

/// What the request log says about one request; filled while it is answered.
final class RequestRecord: Sendable {
    private struct State {
        var usage: Usage?
        var finish: String?
        var firstToken: ContinuousClock.Instant?
        var streams = false
        var bodyBytes = 0
        var body: String?
        var key: String?
        var trace: String?
    }

    let start = ContinuousClock.now
    private let state = Mutex(State())

    /// The end of a streamed answer is the end of its last event, not of its head.
    var streams: Bool {
        get { state.withLock { $0.streams } }
        set { state.withLock { $0.streams = newValue } }
    }

    func noteBody(bytes: Int, text: String?) {
        state.withLock { state in
            state.bodyBytes = bytes
            state.body = text
        }
    }

    /// - Parameter key: name of the API key's holder.
    func note(key: String) { state.withLock { $0.key = key } }

    /// - Parameter trace: the client's `traceparent` (W3C Trace Context), for whoever joins logs with traces.
    func note(trace: String) { state.withLock { $0.trace = trace } }

    func noteToken() {
        state.withLock { state in
            if state.firstToken == nil { state.firstToken = .now }
        }
    }

    func noteEnd(_ usage: Usage, finish: String) {
        state.withLock { state in
            state.usage = usage
            state.finish = finish
        }
    }

    /// Seconds since the request arrived.
    var seconds: Double { (ContinuousClock.now - start).seconds }

    /// Seconds from the request's arrival; nil while there is none.
    var secondsToFirstToken: Double? { state.withLock { $0.firstToken }.map { ($0 - start).seconds } }

    var metadata: Logger.Metadata {
        let state = state.withLock { $0 }
        var metadata: Logger.Metadata = [
            "bytes": "\(state.bodyBytes)", "ms": "\(Self.milliseconds(ContinuousClock.now - start))",
        ]
        if let usage = state.usage {
            metadata["prompt_tokens"] = "\(usage.promptTokens)"
            metadata["cached_tokens"] = "\(usage.cachedTokens)"
            metadata["completion_tokens"] = "\(usage.completionTokens)"
        }
        if let finish = state.finish { metadata["finish"] = "\(finish)" }
        if let first = state.firstToken { metadata["ttft_ms"] = "\(Self.milliseconds(first - start))" }
        if let key = state.key { metadata["key"] = "\(key)" }
        if let trace = state.trace { metadata["traceparent"] = "\(trace)" }
        if let body = state.body { metadata["body"] = "\(body)" }
        return metadata
    }

    private static func milliseconds(_ duration: Duration) -> Double {
        (duration.seconds * 10_000).rounded() / 10
    }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
