/// One number for a namespace and a run of tokens from position 0 on: equal prefixes have equal hashes, different ones
/// nearly always different ones. Nothing is ever reused on the strength of a hash; it only finds what was remembered.
///
/// A polynomial over 2^64 with an odd multiplier (Karp and Rabin, "Efficient randomized pattern-matching algorithms",
/// 1987): it can be extended and, the multiplier being invertible, also shortened in the time of the tokens at the end.
enum PrefixHash {
    private static let multiplier: UInt64 = 0x9E37_79B9_7F4A_7C15
    /// `multiplier * inverse == 1` modulo 2^64.
    private static let inverse: UInt64 = 0xF1DE_83E1_9937_733D
    /// Keeps token 0 from leaving a hash of 0 as it is.
    private static let offset: UInt64 = 0xD1B5_4A32_D192_ED03

    /// Hash of the empty prefix.
    static func seed(_ namespace: Namespace) -> UInt64 {
        // FNV-1a (Fowler, Noll, Vo) over both names; 0xFF is no byte of UTF-8, so it can stand between them.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in namespace.salt.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        hash = (hash ^ 0xFF) &* 0x100_0000_01B3
        for byte in namespace.adapter.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return hash
    }

    /// - Complexity: O(tokens).
    static func extended(_ hash: UInt64, by tokens: ArraySlice<Int32>) -> UInt64 {
        var hash = hash
        for token in tokens { hash = extended(hash, by: token) }
        return hash
    }

    static func extended(_ hash: UInt64, by token: Int32) -> UInt64 {
        (hash &+ offset &+ UInt64(UInt32(bitPattern: token))) &* multiplier
    }

    /// The hash before `tokens` were appended.
    static func shortened(_ hash: UInt64, by tokens: ArraySlice<Int32>) -> UInt64 {
        var hash = hash
        for token in tokens.reversed() { hash = hash &* inverse &- offset &- UInt64(UInt32(bitPattern: token)) }
        return hash
    }
}
