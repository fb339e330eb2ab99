import CKernels
import CPageHash
import Glibc

/// A file of packed weights, mapped: what a backend packed at an earlier start.
///
/// Layout: a head of six little-endian 64-bit words (magic, version, where the index lies, its size and checksum, size of
/// the file), the weights at multiples of 4096, and the index: the key and each weight's name, sizes, types, place and
/// checksums of its pieces of `pieceBytes`. Checksums are XXH3.
final class WeightCacheFile {
    struct Entry {
        var name: String
        var outputs: Int
        var inputs: Int
        var dtype: UInt32
        var format: String
        /// Nil for a weight that is no codes.
        var coded: CodedDescription?
        var offset: Int
        var byteCount: Int
        var checksums: [UInt64]
    }

    static let magic: UInt64 = 0x5448_4749_4557_4452  // "RDWEIGHT"
    /// Of the file, of the packed layouts, and of what becomes of a checkpoint's matrices.
    static let version: UInt64 = 2
    static let headBytes = 48
    static let alignment = 4096
    static let pieceBytes = 4 << 20

    let entries: [Entry]
    let byteCount: Int
    private let memory: UnsafeRawBufferPointer

    /// Why a file is not used.
    enum Refusal: Error, Equatable {
        case absent
        case unusable(String)
    }

    /// Maps a file and checks everything but the weights themselves.
    init(path: String, key: String) throws(Refusal) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw errno == ENOENT ? Refusal.absent : Refusal.unusable("cannot be opened: \(Self.systemText(errno))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw .unusable("is not a file")
        }
        let count = Int(status.st_size)
        guard count >= Self.headBytes else { throw .unusable("has \(count) bytes, less than its head") }
        guard let base = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED else {
            throw .unusable("cannot be mapped: \(Self.systemText(errno))")
        }
        memory = UnsafeRawBufferPointer(start: base, count: count)
        byteCount = count
        do {
            entries = try Self.read(memory, key: key)
        } catch {
            munmap(base, count)
            throw error
        }
    }

    deinit { munmap(UnsafeMutableRawPointer(mutating: memory.baseAddress), memory.count) }

    func bytes(_ entry: Entry) -> UnsafeRawPointer? { memory.baseAddress.map { $0 + entry.offset } }

    /// Whether a piece of a weight is what it was when it was written.
    func isIntact(_ entry: Entry, piece: Int) -> Bool {
        let start = piece * Self.pieceBytes
        guard let base = bytes(entry) else { return false }
        return pagehash_checksum(base + start, min(Self.pieceBytes, entry.byteCount - start)) == entry.checksums[piece]
    }

    private static func read(_ memory: UnsafeRawBufferPointer, key: String) throws(Refusal) -> [Entry] {
        var head = ByteFieldReader(UnsafeRawBufferPointer(rebasing: memory[..<headBytes]))
        guard head.number() == magic else { throw .unusable("is none of Radish's weight files") }
        guard let version = head.number(), version == Self.version else {
            throw .unusable("was written by another version of Radish")
        }
        guard let start = head.count(), let size = head.count(), let checksum = head.number(),
            let total = head.count(), total == memory.count, start <= total, size <= total - start
        else { throw .unusable("is cut short, or longer than it was") }
        let index = UnsafeRawBufferPointer(rebasing: memory[start..<start + size])
        guard pagehash_checksum(index.baseAddress, size) == checksum else { throw .unusable("has a damaged index") }
        var reader = ByteFieldReader(index)
        guard reader.text() == key else { throw .unusable("belongs to other weights or settings") }
        guard let count = reader.count(), count <= size else { throw .unusable("has a damaged index") }
        var entries: [Entry] = []
        for _ in 0..<count {
            guard let entry = readEntry(&reader), entry.offset <= start, entry.byteCount <= start - entry.offset else {
                throw .unusable("has a damaged index")
            }
            entries.append(entry)
        }
        guard reader.isAtEnd else { throw .unusable("has a damaged index") }
        return entries
    }

    private static func readEntry(_ reader: inout ByteFieldReader) -> Entry? {
        guard let name = reader.text(), let outputs = reader.count(), let inputs = reader.count(),
            let dtype = reader.count(), dtype <= Int(CK_I4.rawValue), let format = reader.text(),
            let isCoded = reader.count(), outputs < 1 << 40, inputs > 0, inputs < 1 << 31
        else { return nil }
        var coded: CodedDescription?
        if isCoded == 1 {
            coded = CodedDescription(&reader, inputs: inputs)
            if coded == nil { return nil }
        }
        guard let offset = reader.count(), offset % alignment == 0, let byteCount = reader.count(),
            let pieces = reader.count(), pieces == (byteCount + pieceBytes - 1) / pieceBytes
        else { return nil }
        var checksums: [UInt64] = []
        for _ in 0..<pieces {
            guard let sum = reader.number() else { return nil }
            checksums.append(sum)
        }
        let type = ck_dtype(UInt32(dtype))
        let expected = try? CPUPackedWeight.bytes(
            outputs: outputs, inputs: inputs, dtype: type, coded: coded, purpose: name)
        guard expected == byteCount else { return nil }
        return Entry(
            name: name, outputs: outputs, inputs: inputs, dtype: UInt32(dtype), format: format, coded: coded,
            offset: offset, byteCount: byteCount, checksums: checksums)
    }

    static func systemText(_ code: Int32) -> String { String(cString: strerror(code)) }
}

extension CodedDescription {
    /// - Returns: nil for what no weight has.
    convenience init?(_ reader: inout ByteFieldReader, inputs: Int) {
        guard let codes = reader.count(), codes <= Int(CK_CODES_E4M3.rawValue), let factors = reader.count(),
            factors <= Int(CK_FACTORS_TWO_LEVEL.rawValue), let flags = reader.count(), flags < 4,
            let groups = reader.count(), groups > 0, let table = reader.words(), table.count == 16,
            let groupOfInput = reader.words(), groupOfInput.count == inputs,
            groupOfInput.allSatisfy({ $0 >= 0 && $0 < groups })
        else { return nil }
        var coded = ck_coded()
        coded.codes = ck_codes(UInt32(codes))
        coded.factors = ck_factors(UInt32(factors))
        coded.has_zeros = flags & 1 != 0
        coded.has_offsets = flags & 2 != 0
        withUnsafeMutableBytes(of: &coded.table) { target in
            table.withUnsafeBytes { target.copyMemory(from: $0) }
        }
        self.init(coded, groups: groups, groupOfInput: groupOfInput)
    }

    func write(to fields: inout ByteFieldWriter) {
        var coded = pointer.pointee
        fields.put(UInt64(coded.codes.rawValue))
        fields.put(UInt64(coded.factors.rawValue))
        fields.put((coded.has_zeros ? 1 : 0) + (coded.has_offsets ? 2 : 0))
        fields.put(Int(coded.groups))
        fields.put(withUnsafeBytes(of: &coded.table) { Array($0.bindMemory(to: Int32.self)) })
        fields.put(Array(UnsafeBufferPointer(start: coded.group_of, count: Int(coded.k))))
    }
}
