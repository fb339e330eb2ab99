import TestSupport

/// Damages files: bits, bytes, cuts, repetitions, and edits of JSON that stay JSON and lie.
struct ByteMutator {
    private(set) var generator: SeededGenerator
    /// Bytes that mean something to a JSON reader.
    private static let marks = Array("{}[]\",:0123456789-.eE\\u\0 ntf".utf8)
    /// Numbers at the borders of what sizes and offsets may be.
    private static let numbers = [
        "0", "1", "7", "-1", "-0", "1.0", "1.5", "1e3", "1e999", "NaN", "2147483648", "4294967296",
        "4611686018427387904", "9223372036854775807", "9223372036854775808", "18446744073709551616", "null",
        "9223372036854775807,9",
        "true", "\"1\"", "[]", "{}", "[1]",
    ]

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &generator) }

    mutating func element<T>(of values: [T]) -> T { values[below(values.count)] }

    /// Somewhere in the bytes.
    mutating func damage(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else { return }
        let place = below(bytes.count)
        switch below(7) {
        case 0: bytes[place] ^= 1 << UInt8(below(8))
        case 1: bytes[place] = element(of: Self.marks)
        case 2: bytes.removeLast(bytes.count - place)
        case 3: bytes.append(contentsOf: [UInt8](repeating: 0, count: below(40)))
        case 4: bytes.remove(at: place)
        case 5: bytes.insert(element(of: Self.marks), at: place)
        default:
            let end = min(bytes.count, place + 1 + below(60))
            bytes.insert(contentsOf: bytes[place..<end], at: place)
        }
    }

    /// One number or one digit of a JSON text becomes another, or one word of it becomes another of its words.
    mutating func lie(in text: inout [UInt8]) {
        let isDigit = { (byte: UInt8) in (0x30...0x39).contains(byte) }
        let digits = text.indices.filter { isDigit(text[$0]) }
        guard !digits.isEmpty else { return }
        let digit = element(of: digits)
        switch below(3) {
        case 0: text[digit] = UInt8(0x30 + below(10))
        case 1:
            var begin = digit, end = digit + 1
            while begin > 0, isDigit(text[begin - 1]) { begin -= 1 }
            while end < text.count, isDigit(text[end]) { end += 1 }
            text.replaceSubrange(begin..<end, with: Array(element(of: Self.numbers).utf8))
        default:
            // Between quotation marks, whatever they enclose.
            let quotes = text.indices.filter { text[$0] == UInt8(ascii: "\"") }
            guard quotes.count >= 4 else { return }
            let from = below(quotes.count / 2) * 2, to = below(quotes.count / 2) * 2
            let word = Array(text[quotes[from] + 1..<quotes[from + 1]])
            text.replaceSubrange(quotes[to] + 1..<quotes[to + 1], with: word)
        }
    }
}
