import CPageHash

/// Names the contents of one full page wherever they are kept: a digest over model, layout, namespace and every token
/// from position 0 to the page's last. Two pages with the same key hold the same bits.
package struct PageKey: Hashable, Sendable {
    private let words: (UInt64, UInt64, UInt64, UInt64)
    /// The page holds positions `number * pageSize ..< (number + 1) * pageSize`.
    package let number: Int

    init(digest: [UInt8], number: Int) {
        func word(_ index: Int) -> UInt64 {
            digest[index * 8..<index * 8 + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        words = (word(0), word(1), word(2), word(3))
        self.number = number
    }

    /// The digest, 32 bytes.
    package var bytes: [UInt8] {
        [words.0, words.1, words.2, words.3].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
        }
    }

    /// The digest in lowercase hexadecimal: a file name, part of a Redis key.
    package var text: String { Self.hexadecimal(bytes) }

    package static func == (a: PageKey, b: PageKey) -> Bool { a.words == b.words }

    package func hash(into hasher: inout Hasher) { hasher.combine(words.0) }

    package static func hexadecimal(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

/// What a page's bits depend on besides the tokens: another model, version, kernel path or page layout has another
/// fingerprint, and so never finds the pages of this one.
package struct TierFingerprint: Hashable, Sendable {
    /// 32 bytes.
    package let bytes: [UInt8]

    /// Digest of the parts, each with its length, so that parts cannot run into each other.
    package init(parts: [[UInt8]]) {
        var all: [UInt8] = []
        for part in parts {
            all.append(contentsOf: (0..<8).map { UInt8(truncatingIfNeeded: part.count >> (8 * $0)) })
            all.append(contentsOf: part)
        }
        bytes = Digest.of(all, key: nil)
    }

    /// Short form for folder names, keys and logs.
    package var text: String { String(PageKey.hexadecimal(bytes).prefix(16)) }
}

/// The keys of one sequence's full pages, each made from the one before and the page's tokens; grows with the sequence.
package struct PageKeyChain: Sendable {
    private let root: [UInt8]
    private let pageSize: Int
    package private(set) var keys: [PageKey] = []

    package init(fingerprint: TierFingerprint, namespace: Namespace, pageSize: Int) {
        self.pageSize = pageSize
        let salt = Array(namespace.salt.utf8)
        let length = (0..<8).map { UInt8(truncatingIfNeeded: salt.count >> (8 * $0)) }
        root = Digest.of(length + salt + Array(namespace.adapter.utf8), key: fingerprint.bytes)
    }

    /// Makes sure that there are keys for the first `pages` pages.
    /// - Precondition: `tokens` has that many full pages, and begins as it did in earlier calls.
    /// - Complexity: O(tokens of the new pages).
    package mutating func extend(to pages: Int, tokens: [Int32]) {
        while keys.count < pages {
            let number = keys.count
            let digest = tokens[number * pageSize..<(number + 1) * pageSize].withUnsafeBytes { bytes in
                Digest.of(bytes, key: keys.last?.bytes ?? root)
            }
            keys.append(PageKey(digest: digest, number: number))
        }
    }
}

/// BLAKE2b-256 and XXH3-64.
package enum Digest {
    /// - Parameter key: 32 bytes, or nil.
    package static func of(_ bytes: UnsafeRawBufferPointer, key: [UInt8]?) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Int(PAGEHASH_DIGEST_BYTES)) { digest, count in
            count = Int(PAGEHASH_DIGEST_BYTES)
            guard let base = digest.baseAddress else { return }
            if let key {
                precondition(key.count == count, "a key has the size of a digest")
                key.withUnsafeBytes { pagehash_digest($0.baseAddress, bytes.baseAddress, bytes.count, base) }
            } else {
                pagehash_digest(nil, bytes.baseAddress, bytes.count, base)
            }
        }
    }

    package static func of(_ bytes: [UInt8], key: [UInt8]?) -> [UInt8] {
        bytes.withUnsafeBytes { of($0, key: key) }
    }

    /// Finds damage, not malice.
    package static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        pagehash_checksum(bytes.baseAddress, bytes.count)
    }
}
