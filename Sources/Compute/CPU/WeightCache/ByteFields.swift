/// Numbers and texts behind each other, little-endian: what describes the weights in a file of packed ones.
struct ByteFieldWriter {
    private(set) var bytes: [UInt8] = []

    mutating func put(_ value: UInt64) { withUnsafeBytes(of: value.littleEndian) { bytes += $0 } }
    mutating func put(_ value: Int) { put(UInt64(bitPattern: Int64(value))) }
    mutating func put(_ text: String) {
        put(text.utf8.count)
        bytes += Array(text.utf8)
    }
    mutating func put(_ values: [Int32]) {
        put(values.count)
        for value in values { withUnsafeBytes(of: value.littleEndian) { bytes += $0 } }
    }
}

/// Reads what `ByteFieldWriter` wrote; nil where the bytes end too early.
struct ByteFieldReader {
    private var rest: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) { rest = bytes }

    private mutating func take(_ count: Int) -> UnsafeRawBufferPointer? {
        guard count >= 0, count <= rest.count else { return nil }
        defer { rest = UnsafeRawBufferPointer(rebasing: rest[count...]) }
        return UnsafeRawBufferPointer(rebasing: rest[..<count])
    }

    mutating func number() -> UInt64? {
        take(8).map { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
    }
    /// Not negative.
    mutating func count() -> Int? { number().flatMap { Int(exactly: $0) } }
    mutating func text() -> String? {
        count().flatMap { take($0) }.map { String(decoding: $0, as: UTF8.self) }
    }
    mutating func words() -> [Int32]? {
        guard let count = count(), count <= rest.count / 4, let bytes = take(4 * count) else { return nil }
        return (0..<count).map { Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self)) }
    }
    var isAtEnd: Bool { rest.isEmpty }
}
