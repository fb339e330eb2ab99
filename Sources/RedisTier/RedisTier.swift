import CHiredis
package import PrefixCache
import Synchronization

/// Pages in a Redis or Valkey server, shared by all servers of the same model and version. What it may hold is the
/// server's `maxmemory` and `maxmemory-policy`.
///
/// A connection each for asking, reading and writing, so that none delays the others. A connection that fails
/// is closed, and opened again when it is needed and some seconds have passed; until then nothing is there.
package final class RedisTier: CacheTier {
    package let name = "redis"
    package let isRemote = true
    private let address: RedisAddress
    private let record: PageRecord
    private let now: @Sendable () -> Double
    private let notices: NoticeLimiter
    private let report: TierReport
    private let asking = Mutex(Line())
    private let reading = Mutex(Line())
    private let writing = Mutex(Line())
    private let counters = Mutex(TierStorage())
    /// Pages asked for in one go: enough to hide the way there and back, few enough to stop early.
    private static let batch = 8
    private let connectSeconds: Double
    private let commandSeconds: Double

    private struct Line: ~Copyable {
        var connection: RedisConnection?
        var retryAt = -Double.infinity
        var delay = 1.0
        var hasFailed = false
    }

    /// Connects to nothing yet.
    /// - Parameter now: seconds on any clock.
    package init(
        _ address: RedisAddress, record: PageRecord, connectSeconds: Double = 1, commandSeconds: Double = 2,
        now: @escaping @Sendable () -> Double, report: @escaping TierReport
    ) {
        self.address = address
        self.record = record
        self.connectSeconds = connectSeconds
        self.commandSeconds = commandSeconds
        self.now = now
        self.report = report
        notices = NoticeLimiter(now: now, report: report)
    }

    package var statistics: TierStorage { counters.withLock { $0 } }

    private func key(_ page: PageKey) -> String { "radish:kv:1:\(record.fingerprint.text):\(page.text)" }

    // MARK: Reading

    package func find(_ keys: ArraySlice<PageKey>) -> Int {
        asking.withLock { line in
            use(&line) { connection throws(RedisFailure) in
                for page in keys { try connection.append(["EXISTS", key(page)]) }
                var count = 0
                var isLeading = true
                for _ in keys {
                    isLeading =
                        try connection.reply { reply in reply.type == 3 && reply.integer == 1 } && isLeading
                    if isLeading { count += 1 }
                }
                return count
            } ?? 0
        }
    }

    package func load(_ pages: ArraySlice<PageBuffer>, while goOn: () -> Bool) -> Int {
        reading.withLock { line in
            var count = 0
            while count < pages.count, goOn() {
                let batch = pages.dropFirst(count).prefix(Self.batch)
                let loaded = use(&line) { connection throws(RedisFailure) in try load(batch, connection) } ?? 0
                count += loaded
                if loaded < batch.count { break }
            }
            return count
        }
    }

    private func load(
        _ batch: ArraySlice<PageBuffer>, _ connection: borrowing RedisConnection
    ) throws(RedisFailure) -> Int {
        for page in batch { try connection.append(["GET", key(page.key)]) }
        var count = 0
        var isLeading = true
        for page in batch {
            // Every answer has to be taken off the line, whatever is in it.
            isLeading = try connection.reply { reply in isLeading && take(page, reply) }
            if isLeading { count += 1 }
        }
        return count
    }

    private func take(_ page: PageBuffer, _ reply: redisReply) -> Bool {
        guard reply.type == 1, let start = reply.str else { return false }
        let bytes = UnsafeRawBufferPointer(start: start, count: Int(reply.len))
        let split = min(bytes.count, PageRecord.headerBytes)
        let header = UnsafeRawBufferPointer(rebasing: bytes[..<split])
        let contents = UnsafeRawBufferPointer(rebasing: bytes[split...])
        if let flaw = record.flaw(header: header, page: contents, key: page.key) {
            counters.withLock { $0.refusedPages += 1 }
            notices.warn("flaw", tier: name, "\(address.text) \(key(page.key)) \(flaw); it is not used")
            return false
        }
        page.bytes.copyMemory(from: contents)
        return true
    }

    // MARK: Writing

    package func store(_ pages: [PageBuffer]) -> Int {
        writing.withLock { line in
            use(&line) { connection throws(RedisFailure) in
                var count = 0
                for page in pages {
                    let contents = UnsafeRawBufferPointer(page.bytes)
                    let value = record.header(of: page.key, page: contents) + contents
                    try connection.append(["SET", key(page.key)], value: value)
                    let refusal: String? = try connection.reply { reply in
                        reply.type == 6 ? RedisConnection.text(reply) : nil
                    }
                    if let refusal {
                        notices.warn("store", tier: name, "\(address.text): \(refusal); serving goes on")
                        break
                    }
                    count += 1
                }
                let stored = count
                counters.withLock { counters in
                    counters.pages += stored
                    counters.bytes += stored * record.recordBytes
                }
                return count
            } ?? 0
        }
    }

    /// The server keeps its own order of use.
    package func touch(_ keys: [PageKey]) {}

    package func maintain() {
        writing.withLock { line in
            _ = use(&line) { _ throws(RedisFailure) in
                report(TierNotice(.info, tier: name, "connected to \(address.text)"))
                return 0
            }
        }
    }

    // MARK: Connections

    /// Runs `body` on the line's connection, opening it first if it is time to.
    /// - Returns: nil if there is no connection, or it failed in `body`.
    private func use(
        _ line: inout Line, _ body: (borrowing RedisConnection) throws(RedisFailure) -> Int
    ) -> Int? {
        let time = now()
        if line.connection == nil, time < line.retryAt { return nil }
        do {
            if line.connection == nil {
                line.connection = try RedisConnection.open(
                    address, connectSeconds: connectSeconds, commandSeconds: commandSeconds)
                line.delay = 1
                if line.hasFailed {
                    line.hasFailed = false
                    report(TierNotice(.info, tier: name, "\(address.text) is back"))
                }
            }
            guard let connection = line.connection.take() else { return nil }
            // Only a connection on which all went well is used again: after a failure answers may be outstanding.
            let result = try body(connection)
            line.connection = consume connection
            return result
        } catch {
            line.hasFailed = true
            line.retryAt = now() + line.delay
            line.delay = min(30, line.delay * 2)
            notices.warn("lost", tier: name, "\(address.text): \(error.reason); serving goes on without it")
            return nil
        }
    }
}
