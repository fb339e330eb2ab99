/// Byte values sorted into at most 64 groups, so that "which bytes occur below this trie node" and "which bytes keep
/// this state going" are one word each. Bytes that structure JSON and code have a group of their own.
enum ByteGroups {
    /// The group of every byte.
    static let table: [UInt8] = makeTable()

    private static func makeTable() -> [UInt8] {
        var table = [UInt8](repeating: 0, count: 256)  // 0: control bytes
        var next: UInt8 = 1
        func group(_ bytes: some Sequence<UInt8>) {
            for byte in bytes { table[Int(byte)] = next }
            next += 1
        }
        for byte: UInt8 in [0x09, 0x0A, 0x0D, 0x20] { group([byte]) }
        for byte: UInt8 in 0x21...0x7E where !isLetterOrDigit(byte) { group([byte]) }
        group(UInt8(ascii: "0")...UInt8(ascii: "0"))
        group(UInt8(ascii: "1")...UInt8(ascii: "9"))
        // e E n t f u of JSON's own words, and the letters that text has most of.
        for letter: UInt8 in [0x65, 0x45, 0x6E, 0x74, 0x66, 0x75, 0x61, 0x6F, 0x73] { group([letter]) }
        group([0x62, 0x63, 0x64])  // b to d
        group((UInt8(ascii: "g")...UInt8(ascii: "z")).filter { table[Int($0)] == 0 })
        group([0x41, 0x42, 0x43, 0x44, 0x46])  // A to D, F
        group(UInt8(ascii: "G")...UInt8(ascii: "Z"))
        group([0x7F])
        group(0x80...0xBF)
        // Lead bytes of the blocks that hold spaces and line ends stand apart: sets such as `.` and `\S` split them.
        group([0xC2])
        group(0xC3...0xDF)
        for lead: UInt8 in [0xE1, 0xE2, 0xE3, 0xEF] { group([lead]) }
        group([0xC0, 0xC1, 0xE0] + (0xE4...0xEE))
        group(0xF0...0xFE)
        group([0xFF])
        return table
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }

    /// The bit of `byte`'s group.
    static func bit(_ byte: UInt8) -> UInt64 { 1 << UInt64(table[Int(byte)]) }

    /// The bit of continuation bytes, which say nothing by themselves.
    static let continuation = bit(0x80)

    /// The groups of the lead bytes of all scalars of `low...high`, which are beyond ASCII.
    static func leads(_ low: UInt32, _ high: UInt32) -> UInt64 {
        var groups: UInt64 = 0
        for byte in lead(low)...lead(high) { groups |= bit(byte) }
        return groups
    }

    private static func lead(_ scalar: UInt32) -> UInt8 {
        if scalar < 0x800 { return UInt8(0xC0 | scalar >> 6) }
        return UInt8(scalar < 0x10000 ? 0xE0 | scalar >> 12 : 0xF0 | scalar >> 18)
    }
}
