import Dispatch
import EngineInterface
import Synchronization

/// The only way into the engine thread: commands from any thread, read between two steps.
final class Mailbox: Sendable {
    enum Command: Sendable {
        case submit(GenerationRequest, AsyncStream<GenerationEvent>.Continuation, ticket: Int)
        case abort(requestID: String)
        /// The reader of the stream has gone. By ticket, since an id may by now be another request's.
        case drop(ticket: Int)
        /// Answers of the lower tiers, see `TierOrder`.
        case probed(fetch: Int, tiers: [Int], seconds: Double)
        case loaded(fetch: Int, pages: Int, seconds: [Double])
        case flush(CheckedContinuation<Bool, Never>)
        case statistics(CheckedContinuation<EngineStatistics, Never>)
        case pause(PauseMode, CheckedContinuation<Void, Never>)
        case resume
        case startProfile
        case stopProfile(CheckedContinuation<[ProfileSpan], Never>)
        case probe([Int32], cacheNamespace: String, CheckedContinuation<CacheReport, Never>)
        case prefixes(
            PrefixOrder, limit: Int, previewTokens: Int, CheckedContinuation<[CachedPrefixInformation], Never>)
        case pins(CheckedContinuation<[PinnedPrefix], Never>)
        case unpin(id: String, CheckedContinuation<Bool, Never>)
        /// Ends the loop once nothing runs or waits any more. Without an answer: the last handle has gone.
        case shutdown(CheckedContinuation<Void, Never>?)
    }

    private struct State {
        var commands: [Command] = []
        /// The engine thread is about to sleep, or sleeps, on `wake`.
        var sleeping = false
        var closed = false
    }

    private let state = Mutex(State())
    private let wake = DispatchSemaphore(value: 0)

    /// - Returns: false once the engine has ended; the command was not taken.
    func post(_ command: Command) -> Bool {
        let (taken, wasSleeping) = state.withLock { state in
            if state.closed { return (false, false) }
            state.commands.append(command)
            let wasSleeping = state.sleeping
            state.sleeping = false
            return (true, wasSleeping)
        }
        if wasSleeping { wake.signal() }
        return taken
    }

    /// Everything posted since the last call, in order. Never waits.
    func drain() -> [Command] {
        state.withLock { state in
            if state.commands.isEmpty { return [] }
            defer { state.commands = [] }
            return state.commands
        }
    }

    /// Sleeps until a command is there, or for so many seconds. Called by the engine thread only.
    func waitForCommand(atMost seconds: Double? = nil) {
        let mustWait = state.withLock { state in
            state.sleeping = state.commands.isEmpty
            return state.sleeping
        }
        guard mustWait else { return }
        guard let seconds else { return wake.wait() }
        if wake.wait(timeout: .now() + max(0, seconds)) == .timedOut {
            // A sender that saw us asleep has signalled or is about to; the signal must not be left for the next wait.
            let isSignalled = state.withLock { state in
                defer { state.sleeping = false }
                return !state.sleeping
            }
            if isSignalled { wake.wait() }
        }
    }

    /// Refuses further commands.
    /// - Returns: those that were still unread.
    func close() -> [Command] {
        state.withLock { state in
            state.closed = true
            defer { state.commands = [] }
            return state.commands
        }
    }
}
