import Glibc

/// Names and system calls of a disk tier's folder:
/// ```
/// DIR/radish-kv-1-FINGERPRINT/lock        shared lock of every server that uses the folder
/// DIR/radish-kv-1-FINGERPRINT/tmp/        pages that are being written
/// DIR/radish-kv-1-FINGERPRINT/3f/3f09…    one page: a PageRecord
/// ```
/// A page appears by rename, so it is there whole or not at all.
struct DiskFolder: Sendable {
    static let prefix = "radish-kv-1-"
    let base: String
    let path: String

    init(base: String, fingerprint: TierFingerprint) {
        self.base = base
        path = base + "/" + Self.prefix + fingerprint.text
    }

    var lockPath: String { path + "/lock" }
    var temporaryFolder: String { path + "/tmp" }

    func file(_ name: String) -> String { path + "/" + name.prefix(2) + "/" + name }
    func folder(of name: String) -> String { path + "/" + name.prefix(2) }

    /// Makes a folder and those above it.
    static func make(_ path: String) throws(DiskError) {
        var built = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            built += "/" + part
            if mkdir(built, 0o755) != 0, errno != EEXIST { throw DiskError("mkdir", built, errno) }
        }
        var status = stat()
        guard stat(path, &status) == 0 else { throw DiskError("stat", path, errno) }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw DiskError("mkdir", path, ENOTDIR) }
    }

    /// Names in a folder, without those that begin with a dot; empty if it cannot be read.
    static func names(in path: String) -> [String] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names
    }

    /// Size and time of the last use of a regular file.
    static func facts(_ path: String) -> (bytes: Int, lastUse: Double)? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return (Int(status.st_size), Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) / 1e9)
    }

    /// Dates a file; a failure only makes it look older than it is.
    static func date(_ descriptor: Int32, _ seconds: Double) { _ = futimens(descriptor, times(seconds)) }
    static func date(_ path: String, _ seconds: Double) { _ = utimensat(AT_FDCWD, path, times(seconds), 0) }

    private static func times(_ seconds: Double) -> [timespec] {
        let whole = seconds.rounded(.down)
        let time = timespec(tv_sec: Int(whole), tv_nsec: Int((seconds - whole) * 1e9))
        return [time, time]
    }

    /// Every page of the folder `path`, with size and last use.
    static func pages(below path: String) -> [(name: String, bytes: Int, lastUse: Double)] {
        var found: [(name: String, bytes: Int, lastUse: Double)] = []
        for folder in names(in: path) where folder.utf8.count == 2 {
            for name in names(in: path + "/" + folder) {
                guard let facts = facts(path + "/" + folder + "/" + name) else { continue }
                found.append((name, facts.bytes, facts.lastUse))
            }
        }
        return found
    }

    /// Folders of other models, versions or layouts beside this one.
    func strangers() -> [String] {
        Self.names(in: base).filter { $0.hasPrefix(Self.prefix) }.map { base + "/" + $0 }.filter { $0 != path }
    }
}

/// A system call that failed.
package struct DiskError: Error, Equatable, Sendable, CustomStringConvertible {
    package let operation: String
    package let path: String
    package let code: Int32

    init(_ operation: String, _ path: String, _ code: Int32) {
        self.operation = operation
        self.path = path
        self.code = code
    }

    package var description: String { "\(path): \(operation): \(String(cString: strerror(code)))" }
}
