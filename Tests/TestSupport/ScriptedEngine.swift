package import EngineInterface
import Synchronization

/// An engine that plays given tokens instead of computing them, and keeps a record of what it was asked.
///
/// Requests are checked as the real engine checks them. A script says what is generated and when: at once, at a pace,
/// or token by token as the test lets them through.
package final class ScriptedEngine: GenerationEngine {
    package struct Script: Sendable {
        package enum Pace: Sendable {
            case immediate
            case every(Duration)
            /// Nothing happens, not even admission, until `release`. The first release admits.
            case gated
        }

        package var tokens: [GeneratedToken]
        /// After the last token, unless `maxTokens` came first.
        package var finish: FinishReason
        package var cachedTokens: Int
        /// In place of one that says `cachedTokens` and no more.
        package var report: CacheReport?
        package var pace: Pace
        /// Thrown by `submit`.
        package var refusal: RequestError?

        package init(
            tokens: [GeneratedToken], finish: FinishReason = .length, cachedTokens: Int = 0, pace: Pace = .immediate,
            refusal: RequestError? = nil
        ) {
            self.tokens = tokens
            self.finish = finish
            self.cachedTokens = cachedTokens
            self.pace = pace
            self.refusal = refusal
        }

        package init(ids: [Int32], finish: FinishReason = .length, cachedTokens: Int = 0, pace: Pace = .immediate) {
            self.init(
                tokens: ids.map { GeneratedToken(id: $0) }, finish: finish, cachedTokens: cachedTokens, pace: pace)
        }
    }

    /// What happened so far.
    package struct Record: Sendable {
        package var submissions: [GenerationRequest] = []
        /// Ids aborted by call, or because their stream was dropped; each once.
        package var aborted: [String] = []
        /// Ids that `abort` was called with, live or not.
        package var abortCalls: [String] = []
        /// Ids whose last event was sent.
        package var finished: [String] = []
        package var flushes = 0
        package var pauses: [PauseMode] = []
        package var resumes = 0
        package var isProfiling = false
        package var isShutDown = false
    }

    private struct Live {
        var request: GenerationRequest
        var script: Script
        var continuation: AsyncStream<GenerationEvent>.Continuation
        var isStarted = false
        var isScored = false
        var sent = 0
    }

    private struct State {
        var record = Record()
        var live: [String: Live] = [:]
        var statistics = EngineStatistics()
    }

    package let information: EngineInformation
    private let script: @Sendable (GenerationRequest) -> Script
    private let state: Mutex<State>

    package init(
        information: EngineInformation, statistics: EngineStatistics = EngineStatistics(),
        script: @escaping @Sendable (GenerationRequest) -> Script
    ) {
        self.information = information
        self.script = script
        state = Mutex(State(statistics: statistics))
    }

    package var record: Record { state.withLock { $0.record } }
    package var liveCount: Int { state.withLock { $0.live.count } }

    // MARK: GenerationEngine

    package func submit(_ request: GenerationRequest) throws(RequestError) -> AsyncStream<GenerationEvent> {
        _ = try request.sampling.validated(vocabularySize: information.vocabularySize)
        guard !request.prompt.isEmpty else { throw .emptyPrompt }
        for id in request.prompt where id < 0 || Int(id) >= information.vocabularySize {
            throw .tokenOutOfRange(id: id, vocabularySize: information.vocabularySize)
        }
        let wanted = request.prompt.count + (request.sampling.maxTokens ?? 1)
        guard wanted <= information.contextLength else {
            throw .contextLengthExceeded(
                promptTokens: request.prompt.count, maxNewTokens: request.sampling.maxTokens,
                contextLength: information.contextLength)
        }
        let script = script(request)
        if let refusal = script.refusal { throw refusal }
        let (stream, continuation) = AsyncStream.makeStream(of: GenerationEvent.self)
        // The end of a stream by `finish` also comes here, on the thread that holds the lock: only drops are news.
        continuation.onTermination = { [weak self] reason in
            if case .cancelled = reason { self?.drop(request.id) }
        }
        let outcome: RequestError? = state.withLock { state in
            if state.record.isShutDown { return .shuttingDown }
            if state.live[request.id] != nil { return .duplicateID(request.id) }
            state.record.submissions.append(request)
            state.live[request.id] = Live(request: request, script: script, continuation: continuation)
            return nil
        }
        if let outcome { throw outcome }
        switch script.pace {
        case .gated: break
        case .immediate: release(.max, of: request.id)
        case .every(let interval):
            Task { [weak self] in
                while self?.release(1, of: request.id) == true { try? await Task.sleep(for: interval) }
            }
        }
        return stream
    }

    package func abort(requestID: String) {
        state.withLock { state in
            state.record.abortCalls.append(requestID)
            guard let live = state.live.removeValue(forKey: requestID) else { return }
            state.record.aborted.append(requestID)
            end(live, .aborted, &state)
        }
    }

    package func flushCache() async -> Bool {
        state.withLock { state in
            state.record.flushes += 1
            return state.live.isEmpty
        }
    }

    package func statistics() async -> EngineStatistics {
        state.withLock { state in
            var statistics = state.statistics
            statistics.runningRequests = state.live.values.count(where: \.isStarted)
            statistics.waitingRequests = state.live.count - statistics.runningRequests
            return statistics
        }
    }

    package func pause(_ mode: PauseMode) async {
        state.withLock { $0.record.pauses.append(mode) }
        if mode == .abort { for id in state.withLock({ $0.live.keys.sorted() }) { abort(requestID: id) } }
    }

    package func resume() { state.withLock { $0.record.resumes += 1 } }

    package func startProfile() { state.withLock { $0.record.isProfiling = true } }

    package func stopProfile() async -> [ProfileSpan] {
        state.withLock { state in
            defer { state.record.isProfiling = false }
            return state.record.isProfiling
                ? [ProfileSpan(name: "forward", start: 1, duration: 2.5, rows: 3, sequences: 1)] : []
        }
    }

    package func shutdown() async {
        state.withLock { $0.record.isShutDown = true }
        while liveCount > 0 { try? await Task.sleep(for: .milliseconds(2)) }
    }

    // MARK: For tests

    /// Admits the request if it waits, and lets `count` more tokens through; after the last one it finishes.
    /// - Returns: whether the request is still live.
    @discardableResult
    package func release(_ count: Int, of id: String) -> Bool {
        state.withLock { state in
            guard var live = state.live[id] else { return false }
            if !live.isStarted {
                live.isStarted = true
                live.continuation.yield(
                    .started(
                        live.script.report
                            ?? CacheReport(
                                promptTokens: live.request.prompt.count, cachedTokens: live.script.cachedTokens)))
            }
            if !live.isScored, let scoring = live.request.promptLogprobs {
                live.isScored = true
                live.continuation.yield(.prompt(Self.scores(live.request, scoring)))
            }
            let limit = min(live.script.tokens.count, live.request.sampling.maxTokens ?? .max)
            for _ in 0..<min(count, limit - live.sent) {
                live.continuation.yield(.token(live.script.tokens[live.sent]))
                live.sent += 1
            }
            guard live.sent == limit else {
                state.live[id] = live
                return true
            }
            state.live[id] = nil
            end(live, limit == live.script.tokens.count ? live.script.finish : .length, &state)
            return false
        }
    }

    /// Token `i` of a prompt has the log-probability `-i / 8`.
    private static func scores(_ request: GenerationRequest, _ scoring: PromptLogprobs) -> [GeneratedToken] {
        request.prompt.indices.dropFirst(scoring.start).map { index in
            guard index > 0 else { return GeneratedToken(id: request.prompt[0]) }
            let logprob = -Float(index) / 8
            let top = (0..<scoring.top).map { TokenLogprob(id: Int32(65 + $0), logprob: logprob - Float($0)) }
            let asked = request.sampling.logprobTokenIDs.map { TokenLogprob(id: $0, logprob: -2) }
            return GeneratedToken(id: request.prompt[index], logprob: logprob, top: top, asked: asked)
        }
    }

    /// Waits for something to have happened.
    /// - Returns: false if it did not within the time.
    package func waits(
        atMost limit: Duration = .seconds(10), until condition: @Sendable (Record) -> Bool
    ) async -> Bool {
        let deadline = ContinuousClock.now + limit
        while !condition(record) {
            if ContinuousClock.now > deadline { return false }
            try? await Task.sleep(for: .milliseconds(2))
        }
        return true
    }

    private func end(_ live: Live, _ reason: FinishReason, _ state: inout State) {
        live.continuation.yield(
            .finished(
                reason,
                GenerationUsage(
                    promptTokens: live.request.prompt.count, completionTokens: live.sent,
                    cachedTokens: live.script.cachedTokens)))
        live.continuation.finish()
        state.record.finished.append(live.request.id)
    }

    private func drop(_ id: String) {
        state.withLock { state in
            guard state.live.removeValue(forKey: id) != nil else { return }
            state.record.aborted.append(id)
        }
    }
}
