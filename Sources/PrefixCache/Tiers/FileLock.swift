import Glibc

/// An advisory lock on a file, held until the object goes or the process ends, however it ends.
final class FileLock: Sendable {
    private let descriptor: Int32

    init(_ path: String) throws(DiskError) {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        if descriptor < 0 { throw DiskError("open", path, errno) }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// - Returns: false if somebody else holds it.
    func becomeExclusive() -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }

    func becomeShared() { _ = flock(descriptor, LOCK_SH) }
}
