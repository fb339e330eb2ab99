import CKernels
import CPageHash
import Glibc

/// Writes a `WeightCacheFile` beside its place and renames it there when it is whole, so that nobody sees half of one.
struct WeightCacheWriter {
    /// What did not work.
    struct Failure: Error {
        var text: String
    }

    private let path: String
    private let temporary: String
    private let descriptor: Int32
    private var offset = 0

    static func write(
        _ weights: [(name: String, weight: CPUPackedWeight)], key: String, to path: String, pool: WorkerPool
    ) throws(Failure) {
        var writer = try WeightCacheWriter(path: path)
        do {
            try writer.write(weights, key: key, pool: pool)
        } catch {
            close(writer.descriptor)
            unlink(writer.temporary)
            throw error
        }
        close(writer.descriptor)
        guard rename(writer.temporary, path) == 0 else {
            let code = errno
            unlink(writer.temporary)
            throw Failure(text: "rename to \(path): \(WeightCacheFile.systemText(code))")
        }
    }

    private init(path: String) throws(Failure) {
        self.path = path
        temporary = "\(path).\(getpid()).tmp"
        descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw Failure(text: "cannot create \(temporary): \(WeightCacheFile.systemText(errno))")
        }
    }

    private mutating func write(
        _ weights: [(name: String, weight: CPUPackedWeight)], key: String, pool: WorkerPool
    ) throws(Failure) {
        try append([UInt8](repeating: 0, count: WeightCacheFile.headBytes))
        var index = ByteFieldWriter()
        index.put(key)
        index.put(weights.count)
        for (name, weight) in weights {
            index.put(name)
            index.put(weight.outputs)
            index.put(weight.inputs)
            index.put(UInt64(weight.dtype.rawValue))
            index.put(weight.format.rawValue)
            index.put(weight.coded == nil ? 0 : 1)
            weight.coded?.write(to: &index)
            try align()
            index.put(offset)
            index.put(weight.byteCount)
            let sums = Self.checksums(weight, pool)
            index.put(sums.count)
            for sum in sums { index.put(sum) }
            try append(UnsafeRawBufferPointer(start: weight.data, count: weight.byteCount))
        }
        try align()
        let start = offset
        try append(index.bytes)
        var head = ByteFieldWriter()
        head.put(WeightCacheFile.magic)
        head.put(WeightCacheFile.version)
        head.put(start)
        head.put(index.bytes.count)
        head.put(index.bytes.withUnsafeBytes { pagehash_checksum($0.baseAddress, $0.count) })
        head.put(offset)
        guard fsync(descriptor) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else { throw failure("fsync") }
        try append(head.bytes)
        guard fsync(descriptor) == 0 else { throw failure("fsync") }
    }

    private static func checksums(_ weight: CPUPackedWeight, _ pool: WorkerPool) -> [UInt64] {
        let size = WeightCacheFile.pieceBytes
        var sums = [UInt64](repeating: 0, count: (weight.byteCount + size - 1) / size)
        sums.withUnsafeMutableBufferPointer { sums in
            // Each worker writes the sums of its own pieces.
            nonisolated(unsafe) let sums = sums
            pool.forEach(sums.count) { piece, _ in
                sums[piece] = pagehash_checksum(
                    weight.data + piece * size, min(size, weight.byteCount - piece * size))
            }
        }
        return sums
    }

    private func failure(_ operation: String) -> Failure {
        Failure(text: "\(operation) of \(temporary): \(WeightCacheFile.systemText(errno))")
    }

    private mutating func align() throws(Failure) {
        let rest = offset % WeightCacheFile.alignment
        if rest > 0 { try append([UInt8](repeating: 0, count: WeightCacheFile.alignment - rest)) }
    }

    private mutating func append(_ bytes: [UInt8]) throws(Failure) {
        var failure: Failure?
        bytes.withUnsafeBytes { bytes in
            do throws(Failure) { try append(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private mutating func append(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        var rest = bytes
        while !rest.isEmpty {
            let written = Glibc.write(descriptor, rest.baseAddress, rest.count)
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { throw failure("write") }
            rest = UnsafeRawBufferPointer(rebasing: rest[written...])
        }
        offset += bytes.count
    }
}
