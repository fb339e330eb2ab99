import Glibc
import PrefixCache
import Synchronization
import TestSupport

/// Pages with made-up contents, and the memory to read them into.
struct TierPages {
    static let pageBytes = 1000
    let keys: [PageKey]
    let contents: [[UInt8]]

    init(_ count: Int, seed: UInt64, fingerprint: TierFingerprint = TierPages.fingerprint) {
        var random = SeededGenerator(seed: seed)
        let tokens = (0..<count * 4).map { _ in Int32.random(in: 0..<1000, using: &random) }
        var chain = PageKeyChain(fingerprint: fingerprint, namespace: .shared, pageSize: 4)
        chain.extend(to: count, tokens: tokens)
        keys = chain.keys
        contents = keys.map { _ in (0..<Self.pageBytes).map { _ in UInt8.random(in: 0...255, using: &random) } }
    }

    static let fingerprint = TierFingerprint(parts: [[1, 2, 3]])
    static let record = PageRecord(fingerprint: fingerprint, pageBytes: pageBytes)

    func store(in tier: any CacheTier, _ range: Range<Int>? = nil) -> Int {
        withBuffers(range ?? keys.indices, filled: true) { tier.store($0) }
    }

    /// - Returns: contents of the pages that the tier says it has filled.
    func load(from tier: any CacheTier, _ range: Range<Int>? = nil, while goOn: () -> Bool = { true }) -> [[UInt8]] {
        withBuffers(range ?? keys.indices, filled: false) { buffers in
            let count = tier.load(buffers[...], while: goOn)
            return buffers[..<count].map { [UInt8]($0.bytes) }
        }
    }

    private func withBuffers<Result>(_ range: Range<Int>, filled: Bool, _ body: ([PageBuffer]) -> Result) -> Result {
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(1, range.count * Self.pageBytes), alignment: 64)
        defer { memory.deallocate() }
        memory.initializeMemory(as: UInt8.self, repeating: 0xAA)
        let buffers = range.map { index in
            let start = (index - range.lowerBound) * Self.pageBytes
            let bytes = UnsafeMutableRawBufferPointer(rebasing: memory[start..<start + Self.pageBytes])
            if filled { bytes.copyBytes(from: contents[index]) }
            return PageBuffer(key: keys[index], bytes: bytes)
        }
        return body(buffers)
    }
}

/// Collects what a tier says, and is its clock.
final class TierLog: Sendable {
    private let state = Mutex((notices: [TierNotice](), time: 1_000_000.0))

    var warnings: [String] { state.withLock { $0.notices.filter { $0.level == .warning }.map(\.text) } }
    func advance(_ seconds: Double) { state.withLock { $0.time += seconds } }
    var now: @Sendable () -> Double { { [self] in state.withLock { $0.time } } }
    var report: TierReport { { [self] notice in state.withLock { $0.notices.append(notice) } } }
}

/// A folder that goes with everything in it when the test ends.
final class TierFolder {
    let path: String

    init() throws {
        struct NoDirectory: Error {}
        var template = Array("/tmp/radish-tier-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw NoDirectory() }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { _ = remove(path) }

    /// Every regular file below the folder, without lock files.
    var files: [String] { walk(path).filter { !$0.hasSuffix("/lock") }.sorted() }

    func file(of key: PageKey) -> String? { files.first { $0.hasSuffix(key.text) } }

    private func walk(_ path: String) -> [String] {
        entries(path).flatMap { entry -> [String] in isFolder(entry) ? walk(entry) : [entry] }
    }

    private func remove(_ path: String) -> Int32 {
        guard isFolder(path) else { return unlink(path) }
        for entry in entries(path) { _ = remove(entry) }
        return rmdir(path)
    }

    private func isFolder(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private func entries(_ path: String) -> [String] {
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

/// Whole files, for tests that damage them.
enum TierFile {
    static func read(_ path: String) -> [UInt8] {
        guard let file = fopen(path, "rb") else { return [] }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = fread(&bytes, 1, bytes.count, file)
        return Array(bytes[..<count])
    }

    static func write(_ bytes: [UInt8], to path: String) {
        guard let file = fopen(path, "wb") else { return }
        defer { fclose(file) }
        fwrite(bytes, 1, bytes.count, file)
    }
}
