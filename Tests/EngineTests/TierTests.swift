import Compute
import Engine
import EngineInterface
import Glibc
import PrefixCache
import Synchronization
import TestSupport
import Testing

/// The engine with a disk below its pool: the same bits, whatever comes from where.
struct TierTests {
    private static func tiers(
        _ folder: TierDirectory, _ policy: TierWritePolicy = .writeThrough, limit: Int = 1 << 30,
        version: String = "1"
    ) -> EngineTiers {
        EngineTiers(writePolicy: policy, version: version) { record in
            let tier = try? DiskTier(
                directory: folder.path, byteLimit: limit, record: record, now: { Double(time(nil)) },
                report: { notice in
                    if notice.level == .warning { folder.notices.withLock { $0.append(notice.text) } }
                })
            return tier.map { [$0] } ?? []
        }
    }

    private func start(
        _ folder: TierDirectory?, _ policy: TierWritePolicy = .writeThrough, tokens: Int = 16384, limit: Int = 1 << 30
    ) async throws -> EngineHandle {
        try await Demo.start {
            $0.maxTotalTokens = tokens
            $0.tiers = folder.map { Self.tiers($0, policy, limit: limit) }
        }
    }

    private func requests(_ documents: [[Int32]], round: Int) -> [GenerationRequest] {
        documents.enumerated().map { index, document in
            Demo.request("\(round)-\(index)", document + Demo.prompt(5, seed: UInt64(1000 + index)), tokens: 6) {
                $0.topLogprobs = 3
            }
        }
    }

    @Test func aNewEngineFindsWhatTheOneBeforeHasComputed() async throws {
        let folder = try TierDirectory()
        let document = Demo.prompt(500, seed: 1)
        let bare = try await start(nil)
        let expected = try await bare.answer(requests([document], round: 0)[0])
        await bare.shutdown()

        let first = try await start(folder)
        let cold = try await first.answer(requests([document], round: 0)[0])
        #expect(cold.bits == expected.bits && cold.usages[0].cachedTokens == 0)
        let steps = await first.statistics().steps
        await first.shutdown()

        let second = try await start(folder)
        let warm = try await second.answer(requests([document], round: 0)[0])
        #expect(warm.bits == expected.bits)
        #expect(warm.starts[0].cachedTokens == 496, "all full pages: \(warm.starts)")
        #expect(warm.starts[0].tiers == [TierTokens(tier: .disk, tokens: 496)])
        #expect(warm.starts[0].awaitedTokens == 0)
        let statistics = await second.statistics()
        #expect(statistics.steps <= steps)
        #expect(statistics.tiers[0].loadedPages == 31 && statistics.tiers[0].hitTokens == 496)
        // From now on it is in memory.
        let again = try await second.answer(requests([document], round: 0)[0])
        #expect(again.bits == expected.bits && again.starts[0].tiers == [TierTokens(tier: .memory, tokens: 504)])
        await Demo.expectIdle(second)
        await second.shutdown()
        #expect(folder.warnings.isEmpty)
    }

    /// Whatever changes the bits of a page changes the name of the folder; what does not, does not.
    @Test func onlyWhatWouldComputeTheSameBitsUsesThem() async throws {
        let folder = try TierDirectory()
        let request = requests([Demo.prompt(160, seed: 7)], round: 0)[0]
        func cached(_ change: (inout EngineConfiguration) -> Void) async throws -> Int {
            let engine = try await Demo.start {
                $0.tiers = Self.tiers(folder)
                change(&$0)
            }
            let answer = try await engine.answer(request)
            await engine.shutdown()
            return answer.usages[0].cachedTokens
        }
        #expect(try await cached { _ in } == 0)
        #expect(try await cached { $0.tiers = Self.tiers(folder, version: "2") } == 0)
        #expect(try await cached { $0.pageSize = 32 } == 0)
        #expect(try await cached { $0.weightFormat = .int8 } == 0)
        // Less room and smaller steps give the same bits.
        #expect(
            try await cached {
                ($0.maxTotalTokens, $0.chunkedPrefillSize, $0.maxRunningRequests) = (2048, 32, 3)
            } == 160)
    }

    /// What was never evicted is written when the server ends.
    @Test func writeBackWritesEverythingAtTheEnd() async throws {
        let folder = try TierDirectory()
        let document = Demo.prompt(160, seed: 2)
        let first = try await start(folder, .writeBack)
        _ = try await first.answer(requests([document], round: 0)[0])
        #expect(folder.pages.isEmpty)
        await first.shutdown()
        #expect(folder.pages.count == 10)
        let second = try await start(folder, .writeBack)
        #expect(try await second.answer(requests([document], round: 0)[0]).starts[0].cachedTokens == 160)
        await second.shutdown()
    }

    /// What nobody has used twice is not written.
    @Test func selectiveWritesWhatIsUsedAgain() async throws {
        let folder = try TierDirectory()
        let documents = [Demo.prompt(160, seed: 3), Demo.prompt(160, seed: 4)]
        let engine = try await start(folder, .writeThroughSelective)
        _ = try await engine.answers(requests(documents, round: 0))
        _ = try await engine.answer(requests([documents[0]], round: 1)[0])
        await engine.shutdown()
        #expect(folder.pages.count == 10)
    }

    /// Documents that do not fit the pool together, asked about over and over, several at once.
    @Test(arguments: TierWritePolicy.allCases)
    func pressureChangesNoBit(policy: TierWritePolicy) async throws {
        let folder = try TierDirectory()
        let documents = (0..<5).map { Demo.prompt(300 + 40 * $0, seed: UInt64(10 + $0)) }
        let bare = try await start(nil)
        let expected = try await bare.answers(requests(documents, round: 0)).map(\.bits)
        await bare.shutdown()
        let engine = try await start(folder, policy, tokens: 1024)
        for round in 0..<6 {
            let answers = try await engine.answers(requests(documents, round: round))
            #expect(answers.map(\.bits) == expected, "\(policy), round \(round)")
            #expect(answers.flatMap(\.flaws).isEmpty)
        }
        let statistics = await engine.statistics()
        #expect(statistics.tiers[0].loadedPages > 0, "\(policy): \(statistics)")
        #expect(statistics.evictedPages > 0)
        await Demo.expectIdle(engine)
        await engine.shutdown()
        #expect(folder.warnings.isEmpty)
    }

    /// Who loses interest while pages are being loaded takes nothing with him.
    @Test func abortsDuringLoadsLeaveNothingBehind() async throws {
        let folder = try TierDirectory()
        let documents = (0..<6).map { Demo.prompt(400, seed: UInt64(30 + $0)) }
        let first = try await start(folder)
        let expected = try await first.answers(requests(documents, round: 0)).map(\.bits)
        await first.shutdown()
        let second = try await start(folder)
        for (index, request) in requests(documents, round: 0).enumerated() {
            var other = request
            other.id = "gone \(index)"
            let stream = try second.submit(other)
            if index % 2 == 0 { second.abort(requestID: other.id) }
            _ = stream
        }
        let answers = try await second.answers(requests(documents, round: 1))
        #expect(answers.map(\.bits) == expected)
        #expect(await second.reaches { $0.runningRequests == 0 && $0.waitingRequests == 0 && $0.leasedPages == 0 })
        await Demo.expectIdle(second)
        await second.shutdown()
    }

    /// A folder that another model, another page size or damage has left its traces in.
    @Test func onlyItsOwnUndamagedPagesAreUsed() async throws {
        let folder = try TierDirectory()
        let document = Demo.prompt(320, seed: 50)
        let other = try await Demo.start {
            $0.pageSize = 32
            $0.tiers = Self.tiers(folder)
        }
        let expected = try await other.answer(requests([document], round: 0)[0])
        await other.shutdown()
        #expect(folder.pages.count == 10)

        let engine = try await start(folder)
        let cold = try await engine.answer(requests([document], round: 0)[0])
        #expect(cold.starts[0].cachedTokens == 0 && cold.bits == expected.bits, "another layout is another cache")
        await engine.shutdown()
        #expect(folder.pages.count == 30 && folder.warnings.isEmpty)

        // Damage all pages but those of the other layout, each in another place.
        for (index, path) in folder.pages.enumerated() { folder.damage(path, at: 200 + index * 97) }
        let next = try await start(folder)
        let again = try await next.answer(requests([document], round: 0)[0])
        #expect(again.bits == expected.bits)
        #expect(again.starts[0].cachedTokens == 0)
        #expect(folder.warnings.contains { $0.contains("damaged") })
        await next.shutdown()
        // It has been written anew.
        let last = try await start(folder)
        let healed = try await last.answer(requests([document], round: 0)[0])
        #expect(healed.bits == expected.bits && healed.starts[0].cachedTokens > 0)
        await last.shutdown()
    }

    /// Two engines on one folder at the same time, with a bound so small that each removes the other's pages.
    @Test func twoEnginesOnOneFolder() async throws {
        let folder = try TierDirectory()
        let documents = (0..<4).map { Demo.prompt(300, seed: UInt64(60 + $0)) }
        let a = try await start(folder, tokens: 512, limit: 800_000)
        let b = try await start(folder, tokens: 512, limit: 800_000)
        let expected = try await a.answers(requests(documents, round: 0)).map(\.bits)
        for round in 1..<5 {
            async let ours = a.answers(requests(documents, round: round))
            async let theirs = b.answers(requests(documents.reversed(), round: round))
            let (left, right) = try await (ours, theirs)
            #expect(left.map(\.bits) == expected)
            // The questions go with the place in the list, so the reversed list has other answers; only its order of
            // events is checked here.
            #expect(right.flatMap(\.flaws).isEmpty)
        }
        await a.shutdown()
        await b.shutdown()
        #expect(folder.warnings.isEmpty)
    }
}

/// A folder that goes with everything in it when the test ends.
final class TierDirectory: Sendable {
    let path: String
    let notices = Mutex<[String]>([])

    init() throws {
        struct NoDirectory: Error {}
        var template = Array("/tmp/radish-engine-tier-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw NoDirectory() }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { Self.remove(path) }

    var warnings: [String] { notices.withLock { $0 } }

    /// Files of pages, sorted.
    var pages: [String] { Self.files(path).filter { $0.split(separator: "/").last?.utf8.count == 64 }.sorted() }

    func damage(_ path: String, at offset: Int) {
        guard let file = fopen(path, "r+b") else { return }
        defer { fclose(file) }
        fseek(file, offset, SEEK_SET)
        let byte = fgetc(file)
        fseek(file, offset, SEEK_SET)
        fputc(byte ^ 0x10, file)
    }

    private static func files(_ path: String) -> [String] {
        entries(path).flatMap { isFolder($0) ? files($0) : [$0] }
    }

    private static func remove(_ path: String) {
        for entry in entries(path) {
            if isFolder(entry) { remove(entry) } else { unlink(entry) }
        }
        rmdir(path)
    }

    private static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private static func entries(_ path: String) -> [String] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(path + "/" + name) }
        }
        return names
    }
}
