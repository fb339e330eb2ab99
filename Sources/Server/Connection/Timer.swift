import NIOCore

/// Time limits on the connection's own event loop. A cancelled `Task.sleep` stays in memory until its time has come,
/// which with a limit of minutes adds up to every request of those minutes; a cancelled timer of the loop does not.
enum Timer {
    /// - Returns: what `operation` returns, or nil if it took longer than `limit`; it is cancelled then.
    static func limit<Value: Sendable>(
        _ limit: Duration, on loop: any EventLoop, _ operation: @escaping @Sendable () async throws -> Value
    ) async throws -> Value? {
        let (expiry, expire) = AsyncStream.makeStream(of: Never.self)
        let timer = loop.scheduleTask(in: TimeAmount(limit)) { expire.finish() }
        defer { timer.cancel() }
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await operation() }
            group.addTask {
                for await _ in expiry {}
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }

    /// Calls `action` every `interval` until the returned closure is called.
    static func every(
        _ interval: Duration, on loop: any EventLoop, _ action: @escaping @Sendable () -> Void
    ) -> @Sendable () -> Void {
        let amount = TimeAmount(interval)
        let timer = loop.scheduleRepeatedTask(initialDelay: amount, delay: amount) { _ in action() }
        return { timer.cancel() }
    }
}
