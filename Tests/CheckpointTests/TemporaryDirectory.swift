import Glibc

/// A directory that goes when the test ends.
final class TemporaryDirectory {
    let path: String

    init(_ files: [String: [UInt8]] = [:]) throws {
        struct NoDirectory: Error {}
        var template = Array("/tmp/radish-checkpoint-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw NoDirectory() }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        for (name, contents) in files { try write(name, contents) }
    }

    func write(_ name: String, _ contents: [UInt8]) throws {
        struct NotWritten: Error {}
        guard let file = fopen(path + "/" + name, "w") else { throw NotWritten() }
        defer { fclose(file) }
        guard fwrite(contents, 1, contents.count, file) == contents.count else { throw NotWritten() }
    }

    deinit {
        if let stream = opendir(path) {
            while let entry = readdir(stream) {
                let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                }
                if name != "." && name != ".." {
                    unlink(path + "/" + name)
                    rmdir(path + "/" + name)
                }
            }
            closedir(stream)
        }
        rmdir(path)
    }
}

/// Bytes that end where memory ends: reading one more is a crash, not a wrong value.
final class GuardedBytes {
    let bytes: UnsafeRawBufferPointer
    private let region: UnsafeMutableRawPointer
    private let size: Int

    init(_ contents: [UInt8]) throws {
        struct NoMemory: Error {}
        let page = Int(getpagesize())
        let used = (contents.count + page - 1) / page * page
        size = used + page
        guard let region = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            region != MAP_FAILED
        else { throw NoMemory() }
        self.region = region
        let start = region + used - contents.count
        start.copyMemory(from: contents, byteCount: contents.count)
        mprotect(region + used, page, PROT_NONE)
        bytes = UnsafeRawBufferPointer(start: start, count: contents.count)
    }

    deinit { munmap(region, size) }
}

/// Runs the body, as far as file permissions go, as a user that owns nothing: of this thread alone, so other tests do
/// not notice. Tests in containers often run as root, to whom nothing is unreadable.
/// - Returns: false if that cannot be done.
func asStranger(_ body: () throws -> Void) rethrows -> Bool {
    guard geteuid() == 0 else {
        try body()
        return true
    }
    // Not part of the Glibc module.
    guard let symbol = dlsym(nil, "setfsuid") else { return false }
    let setFileSystemUser = unsafeBitCast(symbol, to: (@convention(c) (uid_t) -> CInt).self)
    _ = setFileSystemUser(65_534)
    defer { _ = setFileSystemUser(0) }
    // The call reports the identity before it, whether or not it succeeds.
    guard setFileSystemUser(65_534) == 65_534 else { return false }
    try body()
    return true
}
