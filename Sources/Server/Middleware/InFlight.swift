import Synchronization

/// The generating requests that are open: how many there may be, and how to cut them when the server must go.
final class InFlight: Sendable {
    private struct State {
        var nextID = 0
        var cuts: [Int: @Sendable () -> Void] = [:]
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) { self.limit = limit }

    var count: Int { state.withLock { $0.cuts.count } }

    /// - Parameter cut: ends the request early.
    /// - Returns: what to give to `leave`.
    /// - Throws: `RequestFailure` 429 if as many requests are open as may be.
    func enter(cut: @escaping @Sendable () -> Void) throws(RequestFailure) -> Int {
        let id: Int? = state.withLock { state in
            guard state.cuts.count < limit else { return nil }
            state.nextID += 1
            state.cuts[state.nextID] = cut
            return state.nextID
        }
        guard let id else { throw .tooManyRequests(limit: limit, what: "open") }
        return id
    }

    func leave(_ id: Int) { state.withLock { state in state.cuts[id] = nil } }

    /// Ends all that are still open.
    func cutAll() {
        let cuts = state.withLock { $0.cuts.values.map { $0 } }
        for cut in cuts { cut() }
    }
}
