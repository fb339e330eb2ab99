import Synchronization
package import WireTypes

/// SGLang's sessions: the tokens of earlier requests, so that a client sends only what is new. The prefix cache has
/// their keys and values; here are the ids only.
package final class SessionStore: Sendable {
    fileprivate struct Node {
        var prompt: [Int32]
        var output: [Int32]
        /// The request it continued.
        var parent: String?

        var tokens: Int { prompt.count + output.count }
    }

    fileprivate struct Session {
        var nodes: [String: Node] = [:]
        /// Ids of the nodes, oldest first.
        var order: [String] = []
        /// Goes on from the last request.
        var streams: Bool
        /// Counts up with each use, over all sessions.
        var lastUse: Int

        var tokens: Int { nodes.values.reduce(0) { $0 + $1.tokens } }
    }

    private struct State {
        var sessions: [String: Session] = [:]
        var uses = 0
    }

    /// A session that is opened beyond it replaces the one that was not used for longest.
    private static let sessionLimit = 256
    /// Requests remembered of each session; the oldest are forgotten.
    private static let nodeLimit = 64

    /// Tokens remembered over all sessions; beyond it the oldest requests of the session that was not used for longest
    /// are forgotten.
    private let tokenLimit: Int
    private let state = Mutex(State())

    package init(tokenLimit: Int = 16 << 20) { self.tokenLimit = tokenLimit }

    /// - Returns: false if a session with this id is open.
    package func open(_ id: String, streams: Bool) -> Bool {
        state.withLock { state in
            guard state.sessions[id] == nil else { return false }
            if state.sessions.count >= Self.sessionLimit,
                let oldest = state.sessions.min(by: { $0.value.lastUse < $1.value.lastUse })?.key
            {
                state.sessions[oldest] = nil
            }
            state.uses += 1
            state.sessions[id] = Session(streams: streams, lastUse: state.uses)
            return true
        }
    }

    /// - Returns: false if there is none with this id.
    func close(_ id: String) -> Bool { state.withLock { $0.sessions.removeValue(forKey: id) != nil } }

    /// The prompt of a request: what it continues, and its own tokens.
    ///
    /// - Parameter begin: the token that begins a sequence; left out of what continues one.
    /// - Throws: `FieldError` naming the part of `session_params` that is wrong.
    package func prompt(
        _ reference: SessionReference, _ tokens: [Int32], begin: Int32?
    ) throws(FieldError) -> (tokens: [Int32], parent: String?) {
        let result: Result<([Int32], String?), FieldError> = state.withLock { state in
            guard state.sessions[reference.id] != nil else {
                return .failure(
                    FieldError("session_params.id", .invalid("no session '\(reference.id)' is open; see /open_session"))
                )
            }
            state.uses += 1
            state.sessions[reference.id]?.lastUse = state.uses
            return Self.continuation(&state, reference, tokens, begin)
        }
        return try result.get()
    }

    private static func continuation(
        _ state: inout State, _ reference: SessionReference, _ tokens: [Int32], _ begin: Int32?
    ) -> Result<([Int32], String?), FieldError> {
        guard var session = state.sessions[reference.id] else { return .success((tokens, nil)) }
        let name = reference.requestID ?? (session.streams ? session.order.last : nil)
        if reference.replaces {
            if let name { session.forget(childrenOf: name) } else { (session.nodes, session.order) = ([:], []) }
            state.sessions[reference.id] = session
        }
        guard let name else { return .success((tokens, nil)) }
        guard let node = session.nodes[name] else {
            return .failure(
                FieldError("session_params.rid", .invalid("the session remembers no finished request '\(name)'")))
        }
        let new = tokens.first == begin && begin != nil ? Array(tokens.dropFirst()) : tokens
        var context = reference.dropsOutput ? node.prompt : node.prompt + node.output
        if let offset = reference.offset, offset > 0 { context = Array(context.prefix(offset)) }
        return .success((context + new, name))
    }

    /// Remembers a request that has ended.
    package func add(_ id: String, to session: String, parent: String?, prompt: [Int32], output: [Int32]) {
        state.withLock { state in
            guard var entry = state.sessions[session] else { return }
            if entry.nodes.updateValue(Node(prompt: prompt, output: output, parent: parent), forKey: id) == nil {
                entry.order.append(id)
            }
            if entry.order.count > Self.nodeLimit { entry.forgetOldest() }
            state.sessions[session] = entry
            makeRoom(&state)
        }
    }

    private func makeRoom(_ state: inout State) {
        var tokens = state.sessions.values.reduce(0) { $0 + $1.tokens }
        while tokens > tokenLimit {
            let filled = state.sessions.filter { !$0.value.order.isEmpty }
            guard let longestUnused = filled.min(by: { $0.value.lastUse < $1.value.lastUse })?.key else { return }
            tokens -= state.sessions[longestUnused]?.forgetOldest() ?? 0
        }
    }
}

extension SessionStore.Session {
    /// - Returns: the tokens of what was forgotten.
    @discardableResult
    fileprivate mutating func forgetOldest() -> Int { nodes.removeValue(forKey: order.removeFirst())?.tokens ?? 0 }

    fileprivate mutating func forget(childrenOf name: String) {
        for child in order.filter({ nodes[$0]?.parent == name }) {
            forget(childrenOf: child)
            nodes[child] = nil
        }
        order.removeAll { nodes[$0] == nil }
    }
}
