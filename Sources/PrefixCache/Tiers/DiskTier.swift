import Glibc
import Synchronization

/// Pages as files of a folder, bounded in size, least recently used first out.
///
/// - **Crash-safe**: a page is written to a file of its own and renamed; a crash loses only what was being written. No
///   `fsync`: what a power failure leaves half-written is found by its checksum.
/// - **Share-safe**: pages are named by their contents and never change, so any number of servers use one folder. The
///   index is a hint; a file that another server added is found by asking the file system, one that it removed is a
///   miss.
/// - **Bound**: counts all folders of the base directory. Over it, folders of models that no server uses go first, then
///   this model's oldest pages. Servers that share a folder each look at all of it every `rescanSeconds` of writing.
package final class DiskTier: CacheTier {
    package let name = "disk"
    package let isRemote = false
    let folder: DiskFolder
    let record: PageRecord
    private let byteLimit: Int
    private let now: @Sendable () -> Double
    let notices: NoticeLimiter
    let report: TierReport
    private let lock: FileLock?
    private let state: Mutex<State>
    static let rescanSeconds = 60.0
    /// How long nothing is written after a failure.
    package static let pauseSeconds = 30.0

    private struct State {
        var index = DiskIndex()
        var foreignBytes = 0
        var storesFrom = -Double.infinity
        var scannedAt = -Double.infinity
        var temporaries = 0
        var refused = 0
        var evicted = 0
    }

    /// Opens the folder, creating it if need be. Reads nothing yet: `maintain` does.
    ///
    /// - Parameters:
    ///   - byteLimit: bytes all pages below `directory` may take.
    ///   - now: seconds since 1970, as files are dated.
    /// - Throws: `DiskError` if the folder cannot be used at all. One that can only be read is used for reading, with a
    ///   notice.
    package init(
        directory: String, byteLimit: Int, record: PageRecord, now: @escaping @Sendable () -> Double,
        report: @escaping TierReport
    ) throws(DiskError) {
        folder = DiskFolder(base: directory, fingerprint: record.fingerprint)
        self.record = record
        self.byteLimit = byteLimit
        self.now = now
        self.report = report
        notices = NoticeLimiter(now: now, report: report)
        // A file size limit must fail the write, not end the server.
        signal(SIGXFSZ, SIG_IGN)
        var state = State()
        do {
            try DiskFolder.make(folder.temporaryFolder)
            lock = try FileLock(folder.lockPath)
            if lock?.becomeExclusive() == true {
                // Nobody else writes here: what is half-written was left by a crash.
                for name in DiskFolder.names(in: folder.temporaryFolder) {
                    unlink(folder.temporaryFolder + "/" + name)
                }
            }
            lock?.becomeShared()
        } catch {
            guard access(folder.path, R_OK | X_OK) == 0 else { throw error }
            lock = nil
            state.storesFrom = .infinity
            report(TierNotice(.warning, tier: "disk", "\(error); pages are read but none are written"))
        }
        self.state = Mutex(state)
    }

    package var statistics: TierStorage {
        state.withLock { state in
            var result = TierStorage()
            result.pages = state.index.count
            result.bytes = state.index.bytes
            result.refusedPages = state.refused
            result.evictedPages = state.evicted
            return result
        }
    }

    // MARK: Reading

    package func find(_ keys: ArraySlice<PageKey>) -> Int {
        var count = 0
        for key in keys {
            let name = key.text
            if !state.withLock({ $0.index.contains(name) }) {
                guard let facts = DiskFolder.facts(folder.file(name)) else { break }
                state.withLock { $0.index.insert(name, bytes: facts.bytes, lastUse: facts.lastUse) }
            }
            count += 1
        }
        return count
    }

    package func load(_ pages: ArraySlice<PageBuffer>, while goOn: () -> Bool) -> Int {
        var count = 0
        for page in pages {
            guard goOn() else { break }
            guard read(page) else {
                // Whatever has spoilt this page may have spoilt those behind it: they are written anew once computed.
                state.withLock { state in for later in pages.dropFirst(count) { state.index.remove(later.key.text) } }
                break
            }
            count += 1
        }
        return count
    }

    private func read(_ page: PageBuffer) -> Bool {
        let name = page.key.text
        let path = folder.file(name)
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno != ENOENT { notices.warn("open", tier: self.name, "\(DiskError("open", path, errno))") }
            state.withLock { $0.index.remove(name) }
            return false
        }
        defer { close(descriptor) }
        var header = [UInt8](repeating: 0, count: PageRecord.headerBytes)
        var status = stat()
        let size = fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
        let flaw: PageRecord.Flaw? = header.withUnsafeMutableBytes { header in
            guard size == record.recordBytes, page.bytes.count == record.pageBytes,
                readAll(descriptor, header, page.bytes)
            else { return .size(found: size, expected: record.recordBytes) }
            return record.flaw(
                header: UnsafeRawBufferPointer(header), page: UnsafeRawBufferPointer(page.bytes), key: page.key)
        }
        if let flaw {
            unlink(path)
            state.withLock { state in
                state.index.remove(name)
                state.refused += 1
            }
            notices.warn("flaw", tier: self.name, "\(path) \(flaw); it is removed and not used")
            return false
        }
        let time = lastUse(page.key)
        if let before = state.withLock({ $0.index.touch(name, lastUse: time) }), time - before > Self.rescanSeconds {
            DiskFolder.date(path, time)
        }
        return true
    }

    private func readAll(
        _ descriptor: Int32, _ header: UnsafeMutableRawBufferPointer, _ page: UnsafeMutableRawBufferPointer
    ) -> Bool {
        var done = 0
        while done < header.count + page.count {
            let rest =
                done < header.count
                ? UnsafeMutableRawBufferPointer(rebasing: header[done...])
                : UnsafeMutableRawBufferPointer(rebasing: page[(done - header.count)...])
            let count = pread(descriptor, rest.baseAddress, rest.count, off_t(done))
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return false }
            done += count
        }
        return true
    }

    // MARK: Writing

    package func store(_ pages: [PageBuffer]) -> Int {
        var count = 0
        for page in pages {
            let time = now()
            let (from, known) = state.withLock { ($0.storesFrom, $0.index.contains(page.key.text)) }
            if known {
                touch([page.key])
                count += 1
                continue
            }
            guard time >= from else { break }
            do {
                try write(page)
                count += 1
            } catch {
                // Our own old pages may be what fills the disk; if not, trying again at once helps nobody.
                state.withLock { $0.storesFrom = time + Self.pauseSeconds }
                notices.warn(
                    "store", tier: name,
                    "\(error); serving goes on, nothing is written for \(Int(Self.pauseSeconds)) s")
                if error.code == ENOSPC || error.code == EDQUOT { shrink(to: statistics.bytes / 10 * 9) }
            }
        }
        if state.withLock({ now() - $0.scannedAt > Self.rescanSeconds }) { rescan() }
        enforceLimit()
        return count
    }

    private func write(_ page: PageBuffer) throws(DiskError) {
        let name = page.key.text
        let number = state.withLock { state in
            state.temporaries += 1
            return state.temporaries
        }
        let temporary = folder.temporaryFolder + "/\(getpid())-\(number)"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw DiskError("open", temporary, errno) }
        let header = record.header(of: page.key, page: UnsafeRawBufferPointer(page.bytes))
        var failure = header.withUnsafeBytes { writeAll(descriptor, $0) }
        if failure == 0 { failure = writeAll(descriptor, UnsafeRawBufferPointer(page.bytes)) }
        let time = lastUse(page.key)
        DiskFolder.date(descriptor, time)
        // Network file systems report a full disk only here.
        if close(descriptor) != 0, failure == 0 { failure = errno }
        if failure == 0, rename(temporary, folder.file(name)) != 0 {
            // The first page of its subfolder.
            mkdir(folder.folder(of: name), 0o755)
            if rename(temporary, folder.file(name)) != 0 { failure = errno }
        }
        guard failure == 0 else {
            unlink(temporary)
            throw DiskError("write", folder.file(name), failure)
        }
        state.withLock { $0.index.insert(name, bytes: record.recordBytes, lastUse: time) }
    }

    /// - Returns: 0 or the error's number.
    private func writeAll(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int32 {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
            if count < 0, errno == EINTR { continue }
            if count < 0 { return errno }
            done += count
        }
        return 0
    }

    package func touch(_ keys: [PageKey]) {
        for key in keys {
            let name = key.text
            let time = lastUse(key)
            let before = state.withLock { $0.index.touch(name, lastUse: time) }
            // Dates on disk serve the next start only, so they may lag.
            if let before, time - before > Self.rescanSeconds { DiskFolder.date(folder.file(name), time) }
        }
    }

    private func lastUse(_ key: PageKey) -> Double { now() - Double(key.number) * 1e-6 }

    // MARK: Size

    package func maintain() {
        let isFirst = state.withLock { $0.scannedAt == -.infinity }
        rescan()
        enforceLimit()
        guard isFirst else { return }
        let (count, bytes, foreign) = state.withLock { ($0.index.count, $0.index.bytes, $0.foreignBytes) }
        report(
            TierNotice(
                .info, tier: name,
                "\(folder.path): \(count) pages, \(bytes >> 20) MiB of \(byteLimit >> 20) MiB"
                    + (foreign > 0 ? "; \(foreign >> 20) MiB of other models or versions are left alone" : "")))
    }

    /// Makes the index what the folder is.
    private func rescan() {
        var index = DiskIndex()
        for page in DiskFolder.pages(below: folder.path) {
            index.insert(page.name, bytes: page.bytes, lastUse: page.lastUse)
        }
        let foreign = folder.strangers().reduce(0) { sum, path in
            sum + DiskFolder.pages(below: path).reduce(0) { $0 + $1.bytes }
        }
        let time = now()
        state.withLock { state in
            // Reads may have learnt more recent uses; those matter only for what is dated lazily.
            state.index = index
            state.foreignBytes = foreign
            state.scannedAt = time
        }
    }

    private func enforceLimit() {
        let total = state.withLock { $0.index.bytes + $0.foreignBytes }
        guard total > byteLimit else { return }
        let foreign = removeStrangers(bytes: total - byteLimit)
        let own = state.withLock { $0.index.bytes }
        // A twentieth more than needed, so that the oldest are looked for once in a while and not for each page.
        if own + foreign > byteLimit { shrink(to: max(0, byteLimit - foreign) / 20 * 19) }
    }

    private func shrink(to bytes: Int) {
        let names = state.withLock { $0.index.oldest(leaving: bytes) }
        for name in names { unlink(folder.file(name)) }
        state.withLock { state in
            for name in names { state.index.remove(name) }
            state.evicted += names.count
        }
    }

    /// Removes the oldest pages of models that no server is using.
    /// - Returns: bytes of strangers that are left.
    private func removeStrangers(bytes: Int) -> Int {
        var old: [(path: String, bytes: Int, lastUse: Double)] = []
        var kept = 0
        var locks: [FileLock] = []
        for path in folder.strangers() {
            let pages = DiskFolder.pages(below: path)
            guard let lock = try? FileLock(path + "/lock"), lock.becomeExclusive() else {
                kept += pages.reduce(0) { $0 + $1.bytes }
                continue
            }
            locks.append(lock)
            old += pages.map { (path + "/" + $0.name.prefix(2) + "/" + $0.name, $0.bytes, $0.lastUse) }
        }
        var missing = bytes
        for page in old.sorted(by: { $0.lastUse < $1.lastUse }) {
            if missing > 0, unlink(page.path) == 0 { missing -= page.bytes } else { kept += page.bytes }
        }
        let left = kept
        state.withLock { $0.foreignBytes = left }
        return withExtendedLifetime(locks) { left }
    }
}
