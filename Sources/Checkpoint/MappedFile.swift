import Glibc
import Tensors

/// Read-only bytes of a file, mapped into memory, constant data of the binary, or made here. The mapping lives as long as this
/// object; views keep it alive.
///
/// A file that someone shortens while it is mapped ends the process with SIGBUS at the next access of the lost part, as
/// with any mapping: replace model files by renaming, not in place.
///
// Sendable although it holds a pointer: the memory is never written, and it is unmapped in deinit, when no reference
// is left.
package final class MappedFile: @unchecked Sendable {
    /// Path, or the name of an embedded file; for messages.
    package let path: String
    private let memory: UnsafeRawBufferPointer
    private let origin: Origin

    private enum Origin {
        case mapped, allocated, constant
    }

    /// Maps a file.
    /// - Throws: `system` if it cannot be opened or mapped.
    package init(path: String) throws(CheckpointError) {
        // Without O_NONBLOCK, opening a pipe waits for a writer; for files it changes nothing.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .system(file: path, operation: "open", code: errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system(file: path, operation: "fstat", code: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .system(file: path, operation: "mmap", code: status.st_mode & S_IFMT == S_IFDIR ? EISDIR : ENODEV)
        }
        let count = Int(status.st_size)
        self.path = path
        // An empty mapping is an error to mmap.
        if count == 0 {
            memory = UnsafeRawBufferPointer(start: nil, count: 0)
            origin = .constant
            return
        }
        guard let base = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED else {
            throw .system(file: path, operation: "mmap", code: errno)
        }
        memory = UnsafeRawBufferPointer(start: base, count: count)
        origin = .mapped
    }

    /// - Precondition: `constant` stays valid and unchanged as long as the process lives.
    package init(name: String, constant: UnsafeRawBufferPointer) {
        path = name
        memory = constant
        origin = .constant
    }

    /// A file that was made here, in memory of its own.
    init(name: String, contents: [UInt8]) {
        path = name
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: contents.count, alignment: 16)
        copy.copyBytes(from: contents)
        memory = UnsafeRawBufferPointer(copy)
        origin = .allocated
    }

    deinit {
        switch origin {
        case .mapped: munmap(UnsafeMutableRawPointer(mutating: memory.baseAddress), memory.count)
        case .allocated: memory.deallocate()
        case .constant: break
        }
    }

    package var count: Int { memory.count }

    /// Bytes of a range, valid while this object lives; nil if the range reaches out of the file.
    package func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer? {
        guard range.lowerBound >= 0, range.upperBound <= memory.count else { return nil }
        return UnsafeRawBufferPointer(rebasing: memory[range])
    }

    /// Tells the system that these bytes are not needed soon, so that a loaded model does not count twice. They stay
    /// readable.
    package func release(_ range: Range<Int>) {
        guard origin == .mapped, range.lowerBound >= 0, range.upperBound <= memory.count else { return }
        let page = Int(getpagesize())
        let begin = (range.lowerBound + page - 1) / page * page
        let end = range.upperBound / page * page
        guard begin < end, let base = memory.baseAddress else { return }
        madvise(UnsafeMutableRawPointer(mutating: base + begin), end - begin, MADV_DONTNEED)
    }
}

extension MappedFile: ReleasableMemory {
    package func release(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress, let base = memory.baseAddress else { return }
        let offset = start - base
        release(offset..<offset + bytes.count)
    }
}

extension CheckpointError {
    static func systemText(_ code: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard strerror_r(code, &buffer, buffer.count) == 0 else { return "unknown error" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
