import Glibc
import PrefixCache
import RedisTier
import Synchronization
import TestSupport
import Testing

struct RedisAddressTests {
    @Test func addressesAreReadAsPeopleWriteThem() throws {
        let plain = try #require(RedisAddress("redis://cache"))
        #expect(plain.host == "cache" && plain.port == 6379 && plain.database == 0 && plain.password == nil)
        let full = try #require(RedisAddress("redis://user:p%40ss:word@10.0.0.1:7000/3"))
        #expect(full.host == "10.0.0.1" && full.port == 7000 && full.database == 3)
        #expect(full.user == "user" && full.password == "p@ss:word")
        #expect(!full.text.contains("word"), "logs do not show passwords")
        let six = try #require(RedisAddress("valkey://:secret@[::1]:6380/"))
        #expect(six.host == "::1" && six.port == 6380 && six.user == nil && six.password == "secret")
        for wrong in [
            "", "file", "redis://", "redis://h:0", "redis://h:70000", "redis://h/x", "http://h", "redis://:1",
        ] {
            #expect(RedisAddress(wrong) == nil, "\(wrong)")
        }
    }
}

/// Against the real server.
@Suite(.serialized) struct RedisTierTests {
    private static let pageBytes = 50_000
    private static let record = PageRecord(fingerprint: TierFingerprint(parts: [[1]]), pageBytes: pageBytes)

    /// Notices and a clock that only the test moves.
    private final class Log: Sendable {
        private let state = Mutex((notices: [TierNotice](), time: 0.0))
        var texts: [String] { state.withLock { $0.notices.map(\.text) } }
        var warnings: Int { state.withLock { $0.notices.count { $0.level == .warning } } }
        func advance(_ seconds: Double) { state.withLock { $0.time += seconds } }
        func now() -> Double { state.withLock { $0.time } }
        func report(_ notice: TierNotice) { state.withLock { $0.notices.append(notice) } }
    }

    private struct Pages {
        let keys: [PageKey]
        let contents: [[UInt8]]

        init(_ count: Int, seed: UInt64) {
            var random = SeededGenerator(seed: seed)
            var chain = PageKeyChain(
                fingerprint: RedisTierTests.record.fingerprint, namespace: .shared, pageSize: 4)
            chain.extend(to: count, tokens: (0..<count * 4).map { _ in Int32.random(in: 0..<1000, using: &random) })
            keys = chain.keys
            contents = keys.map { _ in
                (0..<RedisTierTests.pageBytes).map { _ in UInt8.random(in: 0...255, using: &random) }
            }
        }

        func store(in tier: RedisTier) -> Int {
            withBuffers { buffers in
                for (buffer, bytes) in zip(buffers, contents) { buffer.bytes.copyBytes(from: bytes) }
                return tier.store(buffers)
            }
        }

        /// How many pages the tier says it has filled, and whether they are right.
        func load(from tier: RedisTier, while goOn: () -> Bool = { true }) -> (count: Int, right: Bool) {
            withBuffers { buffers in
                let count = tier.load(buffers[...], while: goOn)
                let right = zip(buffers[..<count], contents).allSatisfy { $0.bytes.elementsEqual($1) }
                return (count, right)
            }
        }

        private func withBuffers<Result>(_ body: ([PageBuffer]) -> Result) -> Result {
            let size = RedisTierTests.pageBytes
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: keys.count * size, alignment: 64)
            defer { memory.deallocate() }
            memory.initializeMemory(as: UInt8.self, repeating: 0)
            return body(
                keys.enumerated().map { index, key in
                    PageBuffer(
                        key: key,
                        bytes: UnsafeMutableRawBufferPointer(rebasing: memory[index * size..<(index + 1) * size]))
                })
        }
    }

    private func tier(_ server: RedisServer, _ log: Log, seconds: Double = 2, path: String = "") throws -> RedisTier {
        let address = try #require(RedisAddress("redis://\(path)127.0.0.1:\(server.port)/1"))
        return RedisTier(
            address, record: Self.record, connectSeconds: seconds, commandSeconds: seconds, now: { log.now() },
            report: { log.report($0) })
    }

    @Test func whatWasStoredIsReadBitByBitByAnotherServer() throws {
        guard let server = RedisServer() else { return }
        let log = Log()
        let pages = Pages(40, seed: 1)
        let a = try tier(server, log)
        #expect(a.find(pages.keys[...]) == 0)
        #expect(pages.load(from: a).count == 0)
        #expect(pages.store(in: a) == 40)
        let b = try tier(server, log)
        #expect(b.find(pages.keys[...]) == 40)
        #expect(pages.load(from: b) == (40, true))
        var asked = 0
        let early = pages.load(from: b) {
            asked += 1
            return asked < 3
        }
        #expect(early.count == 16 && early.right)
        #expect(log.warnings == 0)
    }

    @Test func damagedAndForeignValuesAreNotUsed() throws {
        guard let server = RedisServer() else { return }
        let log = Log()
        let pages = Pages(3, seed: 2)
        let tier = try tier(server, log)
        #expect(pages.store(in: tier) == 3)
        let key = "radish:kv:1:\(Self.record.fingerprint.text):\(pages.keys[1].text)"
        for change in ["SETRANGE \(key) 30000 xyzw", "SET \(key) short", "SETRANGE \(key) 30 zz", "DEL \(key)"] {
            #expect(RedisCommand.send(change, port: server.port))
            let loaded = pages.load(from: tier)
            #expect(loaded == (1, true), "\(change)")
            #expect(pages.store(in: tier) == 3)
            #expect(pages.load(from: tier) == (3, true))
        }
        #expect(tier.statistics.refusedPages == 3)
        // A key that holds something else altogether: the answers stay in step.
        #expect(RedisCommand.send("DEL \(key)", port: server.port))
        #expect(RedisCommand.send("LPUSH \(key) a", port: server.port))
        #expect(pages.load(from: tier) == (1, true))
        #expect(tier.find(pages.keys[...]) == 3)
        #expect(pages.load(from: tier) == (1, true))
    }

    @Test func aServerThatDiesInMidReadIsAMissAndItsReturnIsNoticed() throws {
        guard let server = RedisServer() else { return }
        let log = Log()
        let pages = Pages(40, seed: 3)
        let tier = try tier(server, log)
        #expect(pages.store(in: tier) == 40)
        var asked = 0
        let loaded = pages.load(from: tier) {
            asked += 1
            if asked == 3 { server.kill() }
            return true
        }
        #expect(loaded.count == 16 && loaded.right)
        #expect(tier.find(pages.keys[...]) == 0)
        #expect(pages.store(in: tier) == 0)
        #expect(log.warnings == 1, "one line: \(log.texts)")
        #expect(server.restart())
        #expect(pages.load(from: tier).count == 0, "not asked again at once")
        log.advance(60)
        #expect(pages.load(from: tier).count == 0)
        #expect(pages.store(in: tier) == 40)
        #expect(pages.load(from: tier) == (40, true))
        #expect(log.texts.contains { $0.contains("is back") })
    }

    @Test func aServerThatHangsCostsOneTimeLimit() throws {
        guard let server = RedisServer() else { return }
        let log = Log()
        let pages = Pages(10, seed: 4)
        let tier = try tier(server, log, seconds: 0.2)
        #expect(pages.store(in: tier) == 10)
        #expect(pages.load(from: tier) == (10, true))
        server.freeze()
        #expect(pages.load(from: tier).count == 0)
        #expect(log.texts.contains { $0.contains("serving goes on") })
        server.thaw()
        log.advance(60)
        // Late answers to the old questions must not be taken for those to the new ones.
        #expect(pages.load(from: tier) == (10, true))
    }

    @Test func aServerThatIsFullOrWantsAPasswordIsReported() throws {
        guard let full = RedisServer(arguments: ["--maxmemory", "3mb", "--maxmemory-policy", "noeviction"]) else {
            return
        }
        let log = Log()
        let pages = Pages(100, seed: 5)
        let tier = try tier(full, log)
        let stored = pages.store(in: tier)
        #expect(stored < 100)
        #expect(log.texts.contains { $0.contains("OOM") }, "\(log.texts)")
        #expect(pages.load(from: tier) == (stored, true))

        guard let locked = RedisServer(arguments: ["--requirepass", "secret"]) else { return }
        let refused = Log()
        let without = try self.tier(locked, refused)
        #expect(pages.store(in: without) == 0)
        #expect(refused.warnings == 1 && refused.texts[0].contains("NOAUTH"), "\(refused.texts)")
        let wrong = try self.tier(locked, refused, path: ":guess@")
        #expect(pages.store(in: wrong) == 0)
        #expect(refused.texts.last?.contains("AUTH") == true && refused.texts.last?.contains("guess") == false)
        let right = try self.tier(locked, Log(), path: ":secret@")
        #expect(Pages(3, seed: 6).store(in: right) == 3)
    }

    @Test func nobodyListening() throws {
        let port = try #require(RedisServer.freePort())
        let log = Log()
        let tier = RedisTier(
            try #require(RedisAddress("redis://127.0.0.1:\(port)")), record: Self.record, now: { log.now() },
            report: { log.report($0) })
        tier.maintain()
        #expect(Pages(1, seed: 1).store(in: tier) == 0)
        #expect(log.warnings == 1 && log.texts[0].contains("Connection refused"), "\(log.texts)")
    }
}

/// One command in the inline form of the protocol, over a socket of its own; database 1.
enum RedisCommand {
    static func send(_ command: String, port: Int) -> Bool {
        let text = "(printf 'SELECT 1\\r\\n\(command)\\r\\nQUIT\\r\\n' >&3; cat <&3) 3<>/dev/tcp/127.0.0.1/\(port)"
        guard let stream = popen("bash -c \"\(text)\"", "r") else { return false }
        var bytes = [UInt8](repeating: 0, count: 1000)
        let count = fread(&bytes, 1, bytes.count, stream)
        pclose(stream)
        return !bytes[..<count].contains(UInt8(ascii: "-"))
    }
}
