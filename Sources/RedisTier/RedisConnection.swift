import CHiredis
import Glibc

/// One blocking connection with time limits. Used by one thread at a time.
struct RedisConnection: ~Copyable {
    private let context: UnsafeMutablePointer<redisContext>

    private init(_ context: UnsafeMutablePointer<redisContext>) { self.context = context }

    /// - Throws: `RedisFailure` if there is no connection within the time, or the server refuses password or database.
    static func open(
        _ address: RedisAddress, connectSeconds: Double, commandSeconds: Double
    ) throws(RedisFailure) -> RedisConnection {
        guard let made = redisConnectWithTimeout(address.host, Int32(address.port), time(connectSeconds)) else {
            throw RedisFailure("out of memory")
        }
        let connection = RedisConnection(made)
        guard made.pointee.err == 0, redisSetTimeout(made, time(commandSeconds)) == 0 else {
            throw connection.failure()
        }
        if let password = address.password {
            try connection.expectOK(["AUTH"] + (address.user.map { [$0] } ?? []) + [password], named: "AUTH")
        }
        if address.database != 0 { try connection.expectOK(["SELECT", "\(address.database)"], named: "SELECT") }
        return connection
    }

    deinit { redisFree(context) }

    private static func time(_ seconds: Double) -> timeval {
        timeval(tv_sec: Int(seconds), tv_usec: Int((seconds - seconds.rounded(.down)) * 1e6))
    }

    private func expectOK(_ command: [String], named name: String) throws(RedisFailure) {
        try append(command)
        try reply { reply throws(RedisFailure) in
            if reply.type == REDIS_REPLY_ERROR { throw RedisFailure("\(name): \(Self.text(reply))") }
        }
    }

    /// Queues a command; it is sent with the next `reply`.
    func append(_ command: [String]) throws(RedisFailure) {
        let arguments = command.map { Array($0.utf8) }
        try send(arguments, payload: [])
    }

    /// As `append`, with a last argument that consists of the given buffers.
    func append(_ command: [String], value: [UInt8]) throws(RedisFailure) {
        try send(command.map { Array($0.utf8) }, payload: value)
    }

    private func send(_ arguments: [[UInt8]], payload: [UInt8]) throws(RedisFailure) {
        var all = arguments
        if !payload.isEmpty { all.append(payload) }
        let flat = all.flatMap { $0 }
        let sizes = all.map(\.count)
        let status = flat.withUnsafeBufferPointer { bytes in
            var offset = 0
            var pointers: [UnsafePointer<CChar>?] = sizes.map { size in
                defer { offset += size }
                return bytes.baseAddress.map { UnsafeRawPointer($0 + offset).assumingMemoryBound(to: CChar.self) }
            }
            return redisAppendCommandArgv(context, Int32(sizes.count), &pointers, sizes)
        }
        if status != 0 { throw failure() }
    }

    /// Waits for the next answer in order and hands it to `body`, which must not keep it.
    func reply<Result>(
        _ body: (redisReply) throws(RedisFailure) -> Result
    ) throws(RedisFailure) -> Result {
        var raw: UnsafeMutableRawPointer?
        guard redisGetReply(context, &raw) == 0, let raw else { throw failure() }
        defer { freeReplyObject(raw) }
        return try body(raw.assumingMemoryBound(to: redisReply.self).pointee)
    }

    static func text(_ reply: redisReply) -> String {
        guard let bytes = reply.str else { return "type \(reply.type)" }
        return String(
            decoding: UnsafeRawBufferPointer(start: bytes, count: Int(reply.len)), as: UTF8.self)
    }

    private func failure() -> RedisFailure {
        if context.pointee.err == REDIS_ERR_IO, errno == EAGAIN { return RedisFailure("no answer in time") }
        return withUnsafeBytes(of: context.pointee.errstr) { bytes in
            RedisFailure(String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self))
        }
    }
}

/// Why the server did not answer.
struct RedisFailure: Error, Equatable {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}
