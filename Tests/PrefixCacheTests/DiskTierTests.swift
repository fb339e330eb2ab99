import Glibc
import PrefixCache
import TestSupport
import Testing

struct DiskTierTests {
    private func open(
        _ folder: TierFolder, _ log: TierLog, limit: Int = 1 << 30, record: PageRecord = TierPages.record
    ) throws -> DiskTier {
        try DiskTier(directory: folder.path, byteLimit: limit, record: record, now: log.now, report: log.report)
    }

    @Test func whatWasStoredIsReadBitByBitAlsoByTheNextServer() throws {
        let folder = try TierFolder()
        let log = TierLog()
        let pages = TierPages(20, seed: 1)
        do {
            let tier = try open(folder, log)
            #expect(tier.find(pages.keys[...]) == 0)
            #expect(pages.store(in: tier) == 20)
            #expect(pages.load(from: tier) == pages.contents)
        }
        let next = try open(folder, log)
        // Before anything was scanned, and after.
        for _ in 0..<2 {
            #expect(next.find(pages.keys[...]) == 20)
            #expect(pages.load(from: next) == pages.contents)
            next.maintain()
        }
        #expect(next.statistics.pages == 20)
        #expect(log.warnings.isEmpty)
    }

    @Test func aLoadStopsWhenNobodyWantsIt() throws {
        let folder = try TierFolder()
        let tier = try open(folder, TierLog())
        let pages = TierPages(10, seed: 2)
        #expect(pages.store(in: tier) == 10)
        var left = 4
        let loaded = pages.load(from: tier) {
            left -= 1
            return left >= 0
        }
        #expect(loaded == Array(pages.contents[..<4]))
    }

    /// Every byte of header and page is covered, and every length.
    @Test func damagedAndTruncatedPagesAreRemovedAndNotUsed() throws {
        let folder = try TierFolder()
        let log = TierLog()
        let tier = try open(folder, log)
        let pages = TierPages(1, seed: 3)
        var random = SeededGenerator(seed: 3)
        for round in 0..<400 {
            #expect(pages.store(in: tier) == 1)
            let path = try #require(folder.file(of: pages.keys[0]))
            var bytes = TierFile.read(path)
            #expect(bytes.count == TierPages.record.recordBytes)
            switch round % 4 {
            case 0: bytes.removeLast(Int.random(in: 1...bytes.count, using: &random))
            case 1: bytes += [0]
            default:
                // The first 128 bytes one after the other.
                let place = round < 256 ? round / 2 : Int.random(in: 0..<bytes.count, using: &random)
                bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            }
            TierFile.write(bytes, to: path)
            #expect(pages.load(from: tier).isEmpty, "round \(round)")
            #expect(folder.file(of: pages.keys[0]) == nil)
            #expect(tier.find(pages.keys[...]) == 0)
        }
        #expect(tier.statistics.refusedPages == 400)
        #expect(log.warnings.count == 1, "one line, not a flood: \(log.warnings.count)")
        #expect(log.warnings.first?.contains("not used") == true)
    }

    /// A disk that spoilt one page has spoilt others: one request finds that out for all of its pages.
    @Test func whatFollowsADamagedPageIsWrittenAnew() throws {
        let folder = try TierFolder()
        let tier = try open(folder, TierLog())
        let pages = TierPages(4, seed: 5)
        #expect(pages.store(in: tier) == 4)
        for key in pages.keys {
            let path = try #require(folder.file(of: key))
            var bytes = TierFile.read(path)
            bytes[bytes.count - 1] ^= 1
            TierFile.write(bytes, to: path)
        }
        #expect(pages.load(from: tier).isEmpty)
        #expect(pages.store(in: tier) == 4)
        #expect(pages.load(from: tier) == pages.contents)
    }

    @Test func pagesOfAnotherModelAreNeverUsedEvenWhenTheyAreCopied() throws {
        let folder = try TierFolder()
        let log = TierLog()
        let foreign = TierFingerprint(parts: [[9]])
        let theirs = TierPages(3, seed: 4, fingerprint: foreign)
        let record = PageRecord(fingerprint: foreign, pageBytes: TierPages.pageBytes)
        let their = try open(folder, log, record: record)
        #expect(theirs.store(in: their) == 3)

        let tier = try open(folder, log)
        let ours = TierPages(3, seed: 4)
        #expect(theirs.keys[0] != ours.keys[0], "the same tokens of another model have another name")
        #expect(tier.find(ours.keys[...]) == 0)
        // Somebody moves a file to where ours would be.
        #expect(ours.store(in: tier) == 3)
        for index in 0..<3 {
            let from = try #require(folder.file(of: theirs.keys[index]))
            let to = try #require(folder.file(of: ours.keys[index]))
            TierFile.write(TierFile.read(from), to: to)
        }
        #expect(ours.load(from: tier).isEmpty)
        #expect(log.warnings.contains { $0.contains("another model, version or layout") })
        // One of ours under the name of another of ours.
        let more = TierPages(2, seed: 5)
        #expect(more.store(in: tier) == 2)
        let paths = try more.keys.map { try #require(folder.file(of: $0)) }
        TierFile.write(TierFile.read(paths[0]), to: paths[1])
        #expect(more.load(from: tier) == [more.contents[0]])
        // A record of a later format.
        var later = TierFile.read(paths[0])
        later[8] = 2
        TierFile.write(later, to: paths[0])
        #expect(more.load(from: tier).isEmpty)
    }

    @Test func aCrashBetweenWriteAndRenameLosesOnlyThatPage() throws {
        let folder = try TierFolder()
        let log = TierLog()
        let pages = TierPages(5, seed: 6)
        do {
            let tier = try open(folder, log)
            #expect(pages.store(in: tier) == 5)
        }
        // What a server leaves that dies at that moment: a file in tmp, whole or in part, and no page.
        let whole = try #require(folder.file(of: pages.keys[2]))
        let base = try #require(
            whole.split(separator: "/", omittingEmptySubsequences: false).dropLast(2) as [Substring]?)
        let temporary = base.joined(separator: "/") + "/tmp/77-1"
        #expect(rename(whole, temporary) == 0)
        TierFile.write([1, 2, 3], to: base.joined(separator: "/") + "/tmp/77-2")
        let next = try open(folder, log)
        #expect(next.find(pages.keys[...]) == 2)
        #expect(pages.load(from: next) == Array(pages.contents[..<2]))
        #expect(pages.load(from: next, 3..<5) == Array(pages.contents[3...]))
        #expect(folder.files.count == 4, "what was half-written is gone")
        #expect(pages.store(in: next, 2..<3) == 1)
        #expect(pages.load(from: next) == pages.contents)
        #expect(log.warnings.isEmpty)
    }

    @Test func twoServersOnOneFolderShareIt() throws {
        let folder = try TierFolder()
        let log = TierLog()
        let a = try open(folder, log)
        let b = try open(folder, log)
        a.maintain()
        b.maintain()
        let pages = TierPages(8, seed: 7)
        #expect(pages.store(in: a, 0..<6) == 6)
        #expect(b.find(pages.keys[...]) == 6, "what the other wrote is found without a scan")
        #expect(pages.store(in: b) == 8)
        #expect(pages.load(from: a) == pages.contents)
        // One takes away what the other counts on.
        for key in pages.keys[3...] { unlink(try #require(folder.file(of: key))) }
        #expect(pages.load(from: b) == Array(pages.contents[..<3]))
        #expect(b.find(pages.keys[...]) == 3)
        // A third one that starts must not take the half-written pages of the living for those of the dead.
        let base = try #require(folder.files.first).split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
        let temporary = base.joined(separator: "/") + "/tmp/living"
        TierFile.write([1], to: temporary)
        _ = try open(folder, log)
        #expect(access(temporary, F_OK) == 0)
        #expect(log.warnings.isEmpty)
        withExtendedLifetime((a, b)) {}
    }

    @Test func theBoundIsKeptAndTheLeastRecentlyUsedGoFirst() throws {
        let folder = try TierFolder()
        let log = TierLog()
        let size = TierPages.record.recordBytes
        let tier = try open(folder, log, limit: 40 * size)
        let old = TierPages(10, seed: 8)
        let used = TierPages(10, seed: 9)
        #expect(old.store(in: tier) == 10)
        log.advance(100)
        #expect(used.store(in: tier) == 10)
        log.advance(100)
        tier.touch(old.keys)
        log.advance(100)
        let new = TierPages(25, seed: 10)
        #expect(new.store(in: tier) == 25)
        #expect(folder.files.count <= 40)
        #expect(tier.find(old.keys[...]) == 10, "touched")
        #expect(tier.find(new.keys[...]) == 25)
        let left = tier.find(used.keys[...])
        #expect(left < 10 && left > 0, "of pages used together the last go first: \(left)")
        #expect(folder.files.count == 35 + left)
        #expect(tier.statistics.evictedPages == 10 - left)
        // A server that starts with a smaller bound keeps it, by the dates of the files.
        let small = try open(folder, log, limit: 30 * size)
        small.maintain()
        #expect(folder.files.count <= 30)
        #expect(small.find(new.keys[...]) == 25)
    }

    @Test func foldersOfModelsThatNobodyUsesGoFirst() throws {
        let folder = try TierFolder()
        let log = TierLog()
        let size = TierPages.record.recordBytes
        let dead = TierFingerprint(parts: [[7]])
        let alive = TierFingerprint(parts: [[8]])
        do {
            let record = PageRecord(fingerprint: dead, pageBytes: TierPages.pageBytes)
            #expect(TierPages(10, seed: 1, fingerprint: dead).store(in: try open(folder, log, record: record)) == 10)
        }
        let record = PageRecord(fingerprint: alive, pageBytes: TierPages.pageBytes)
        let other = try open(folder, log, record: record)
        let theirs = TierPages(10, seed: 1, fingerprint: alive)
        #expect(theirs.store(in: other) == 10)
        let tier = try open(folder, log, limit: 30 * size)
        tier.maintain()
        let ours = TierPages(15, seed: 2)
        #expect(ours.store(in: tier) == 15)
        #expect(folder.files.count <= 30)
        #expect(tier.find(ours.keys[...]) == 15 && other.find(theirs.keys[...]) == 10)
    }

    @Test func aFolderThatCannotBeMadeIsSaidAtOnce() throws {
        let folder = try TierFolder()
        let path = folder.path + "/file"
        TierFile.write([0], to: path)
        #expect(throws: DiskError.self) {
            try DiskTier(
                directory: path + "/below", byteLimit: 1 << 20, record: TierPages.record, now: { 0 }, report: { _ in })
        }
    }

    @Test func aFolderThatCannotBeWrittenIsRead() throws {
        let folder = try TierFolder()
        let log = TierLog()
        let pages = TierPages(3, seed: 11)
        // Temporary folders are private.
        chmod(folder.path, 0o755)
        do { #expect(pages.store(in: try open(folder, log)) == 3) }
        let isTried = try asStranger {
            let tier = try open(folder, log)
            #expect(log.warnings.count == 1 && log.warnings[0].contains("none are written"))
            #expect(pages.load(from: tier) == pages.contents)
            #expect(TierPages(1, seed: 12).store(in: tier) == 0)
        }
        if !isTried { print("SKIPPED: a folder that cannot be written: no way to be another user here") }
    }

    @Test func aDiskThatIsFullCostsALineAndNothingElse() throws {
        let folder = try TierFolder()
        guard mount("tmpfs", folder.path, "tmpfs", 0, "size=64k") == 0 else {
            print("SKIPPED: a full disk: no small file system can be mounted here")
            return
        }
        defer { umount(folder.path) }
        let log = TierLog()
        let tier = try open(folder, log)
        let pages = TierPages(100, seed: 13)
        let stored = pages.store(in: tier)
        #expect(stored > 0 && stored < 100)
        #expect(log.warnings.count == 1 && log.warnings[0].contains("No space left"), "\(log.warnings)")
        let read = pages.load(from: tier)
        #expect(read == Array(pages.contents[..<read.count]))
        // Nothing is tried for a while, then again: room was made by letting go of the oldest.
        #expect(TierPages(1, seed: 14).store(in: tier) == 0)
        log.advance(DiskTier.pauseSeconds + 1)
        #expect(TierPages(1, seed: 14).store(in: tier) == 1)
    }

    /// As `Tests/CheckpointTests` do it: of this thread alone.
    private func asStranger(_ body: () throws -> Void) rethrows -> Bool {
        guard geteuid() == 0 else {
            let folder = "/proc/self"
            return access(folder, W_OK) == 0
        }
        guard let symbol = dlsym(nil, "setfsuid") else { return false }
        let setFileSystemUser = unsafeBitCast(symbol, to: (@convention(c) (uid_t) -> CInt).self)
        _ = setFileSystemUser(65_534)
        defer { _ = setFileSystemUser(0) }
        guard setFileSystemUser(65_534) == 65_534 else { return false }
        try body()
        return true
    }
}
