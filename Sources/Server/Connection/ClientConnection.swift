import NIOCore
import Synchronization

/// Whether the client that asked is still there.
final class ClientConnection: Sendable {
    private struct State {
        var isClosed = false
        var nextID = 0
        var waiters: [Int: AsyncStream<Never>.Continuation] = [:]
    }

    private let state = Mutex(State())

    init() {}

    /// The connection that `channel` belongs to; a closed one if the channel is already torn down.
    static func of(_ channel: any Channel) async -> ClientConnection {
        let found = try? await channel.eventLoop.submit {
            try channel.pipeline.syncOperations.handler(type: ConnectionWatch.self).connection
        }.get()
        if let found { return found }
        let gone = ClientConnection()
        gone.close()
        return gone
    }

    func close() {
        let waiters = state.withLock { state in
            state.isClosed = true
            defer { state.waiters = [:] }
            return state.waiters
        }
        for continuation in waiters.values { continuation.finish() }
    }

    /// Returns when the client is gone, or when the task is cancelled.
    func untilClosed() async {
        let (stream, continuation) = AsyncStream.makeStream(of: Never.self)
        let id: Int? = state.withLock { state in
            guard !state.isClosed else { return nil }
            state.nextID += 1
            state.waiters[state.nextID] = continuation
            return state.nextID
        }
        guard let id else { return }
        for await _ in stream {}
        state.withLock { state in state.waiters[id] = nil }
    }

    /// Runs `operation` and cancels it when the client goes away.
    ///
    /// - Throws: `RequestFailure.clientClosed` then; otherwise what the operation throws.
    func whileOpen<Value: Sendable>(
        _ operation: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await operation() }
            group.addTask {
                await self.untilClosed()
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let value = first else { throw RequestFailure.clientClosed }
            return value
        }
    }
}
