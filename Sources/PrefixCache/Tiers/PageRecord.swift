/// The bytes that precede a page outside the process, and what is checked before the page is used.
///
/// ```
///   0  magic "RADISHKV"        24  fingerprint, 32 bytes      88  XXH3-64 of the page
///   8  format, 32 bits         56  key, 32 bytes              96  zeros
///  12  page number, 32 bits                                  120  XXH3-64 of bytes 0 ..< 120
///  16  bytes of the page, 64 bits                            128  the page
/// ```
/// All numbers little-endian.
package struct PageRecord: Sendable {
    package static let headerBytes = 128
    package static let format: UInt32 = 1
    private static let magic = Array("RADISHKV".utf8)

    package let fingerprint: TierFingerprint
    package let pageBytes: Int

    package init(fingerprint: TierFingerprint, pageBytes: Int) {
        self.fingerprint = fingerprint
        self.pageBytes = pageBytes
    }

    package var recordBytes: Int { Self.headerBytes + pageBytes }

    /// Why bytes are not the page that was asked for.
    package enum Flaw: Error, Equatable, Sendable, CustomStringConvertible {
        case size(found: Int, expected: Int)
        case notAPage
        case format(UInt32)
        case foreign
        case otherPage
        case damagedHeader
        case damaged

        package var description: String {
            switch self {
            case .size(let found, let expected): "has \(found) bytes instead of \(expected)"
            case .notAPage: "is not a page of a cache"
            case .format(let found): "has format \(found), this version reads \(PageRecord.format)"
            case .foreign: "was written by another model, version or layout"
            case .otherPage: "holds another page"
            case .damagedHeader: "has a damaged header"
            case .damaged: "is damaged: the checksum differs"
            }
        }
    }

    package func header(of key: PageKey, page: UnsafeRawBufferPointer) -> [UInt8] {
        var bytes = Self.magic
        append(UInt64(Self.format) | UInt64(UInt32(truncatingIfNeeded: key.number)) << 32, to: &bytes)
        append(UInt64(page.count), to: &bytes)
        bytes += fingerprint.bytes
        bytes += key.bytes
        append(Digest.checksum(page), to: &bytes)
        bytes += [UInt8](repeating: 0, count: 24)
        append(bytes.withUnsafeBytes { Digest.checksum($0) }, to: &bytes)
        return bytes
    }

    /// - Returns: nil if header and page are exactly what was stored under the key.
    package func flaw(
        header: UnsafeRawBufferPointer, page: UnsafeRawBufferPointer, key: PageKey
    ) -> Flaw? {
        let count = header.count + page.count
        guard header.count == Self.headerBytes, page.count == pageBytes else {
            return .size(found: count, expected: recordBytes)
        }
        guard header[0..<8].elementsEqual(Self.magic) else { return .notAPage }
        let format = UInt32(truncatingIfNeeded: word(header, at: 8))
        guard format == Self.format else { return .format(format) }
        let own = UnsafeRawBufferPointer(rebasing: header[0..<120])
        guard word(header, at: 120) == Digest.checksum(own) else { return .damagedHeader }
        guard header[24..<56].elementsEqual(fingerprint.bytes), word(header, at: 16) == UInt64(pageBytes) else {
            return .foreign
        }
        guard header[56..<88].elementsEqual(key.bytes) else { return .otherPage }
        return word(header, at: 88) == Digest.checksum(page) ? nil : .damaged
    }

    private func append(_ word: UInt64, to bytes: inout [UInt8]) {
        for index in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * index))) }
    }

    private func word(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> UInt64 {
        UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
}
