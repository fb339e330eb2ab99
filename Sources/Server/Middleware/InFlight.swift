import Synchronization

/// The generating requests that are open: how many there may be, and how to cut them when the server must go.
final class InFlight: Sendable {
    private struct State {
        var nextID = 0
        var cuts: [Int: @Sendable () -> Void] = [:]
        /// What the engine calls the generations of each request.
        var ids: [Int: [String]] = [:]
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) { self.limit = limit }

    var count: Int { state.withLock { $0.cuts.count } }

    /// - Parameters:
    ///   - ids: of its generations.
    ///   - cut: ends the request early.
    /// - Returns: what to give to `leave`.
    /// - Throws: `RequestFailure` 429 if as many requests are open as may be.
    func enter(ids: [String] = [], cut: @escaping @Sendable () -> Void) throws(RequestFailure) -> Int {
        let id: Int? = state.withLock { state in
            guard state.cuts.count < limit else { return nil }
            state.nextID += 1
            state.cuts[state.nextID] = cut
            state.ids[state.nextID] = ids
            return state.nextID
        }
        guard let id else { throw .tooManyRequests(limit: limit, what: "open") }
        return id
    }

    func leave(_ id: Int) {
        state.withLock { state in
            state.cuts[id] = nil
            state.ids[id] = nil
        }
    }

    /// All generations of the open requests, in the order of their arrival.
    var generations: [String] {
        state.withLock { state in state.ids.sorted { $0.key < $1.key }.flatMap(\.value) }
    }

    /// Generations of the open requests that a client knows by this name: several, where one request got several
    /// prompts or answers.
    func generations(of name: String) -> [String] {
        state.withLock { state in
            state.ids.values.joined().filter { $0 == name || Self.isNumbered($0, name) }
        }
    }

    /// `name-0`, `name-1`, …
    private static func isNumbered(_ id: String, _ name: String) -> Bool {
        guard id.hasPrefix(name + "-") else { return false }
        let rest = id.utf8.dropFirst(name.utf8.count + 1)
        return !rest.isEmpty && rest.allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
    }

    /// Ends all that are still open.
    func cutAll() {
        let cuts = state.withLock { $0.cuts.values.map { $0 } }
        for cut in cuts { cut() }
    }
}
