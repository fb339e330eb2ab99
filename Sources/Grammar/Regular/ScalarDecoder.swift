/// A byte automaton that reads one scalar in an encoding and says which alphabet class it is. Shared by all states of a
/// leaf: a state of the leaf is a pair (regular term, position in this automaton).
struct ScalarDecoder: Sendable {
    /// Targets in `rows`: a position below `outputBit`, or one of these.
    static let dead = UInt16.max
    static let finish: UInt16 = 0x7FFF
    static let outputBit: UInt16 = 0x8000

    /// Between two scalars.
    let boundary: UInt16 = 0
    /// Where reading starts: the boundary, or before the opening quote.
    private(set) var start: UInt16 = 0
    /// Bytes that no position tells apart share a class.
    private(set) var byteClass = [UInt8](repeating: 0, count: 256)
    private(set) var byteClassCount = 0
    /// One byte of each class.
    private(set) var representative: [UInt8] = []
    /// `rows[position * byteClassCount + class]`.
    private(set) var rows: [UInt16] = []
    /// Alphabet classes that can still come out of each position.
    private(set) var reachable: [ClassSet] = []
    let quoted: Bool

    /// Rows of 256 targets while the automaton is built.
    private var wide: [UInt16] = []
    private var uniform: [UInt32: UInt16] = [:]

    init(_ alphabet: Alphabet, _ encoding: RegularEncoding) {
        quoted = encoding != .utf8
        var row = [UInt16](repeating: Self.dead, count: 256)
        wide = row
        for byte in 0..<128 where !quoted || (byte >= 0x20 && byte != 0x22 && byte != 0x5C) {
            row[byte] = Self.outputBit | alphabet.classOf(UInt32(byte))
        }
        for lead in 0xC2...0xDF { row[lead] = continuation(alphabet, UInt32(lead & 0x1F) << 6, 1, 0x80) }
        for lead in 0xE0...0xEF { row[lead] = continuation(alphabet, UInt32(lead & 0x0F) << 12, 2, 0x800) }
        for lead in 0xF0...0xF4 { row[lead] = continuation(alphabet, UInt32(lead & 0x07) << 18, 3, 0x10000) }
        if quoted {
            row[0x22] = Self.finish
            row[0x5C] = escape(alphabet, canonical: encoding == .canonicalJSONString)
            var opening = [UInt16](repeating: Self.dead, count: 256)
            opening[0x22] = boundary
            start = append(opening)
        }
        wide.replaceSubrange(0..<256, with: row)
        compress(alphabet.classCount)
        wide = []
        uniform = [:]
    }

    private mutating func append(_ row: [UInt16]) -> UInt16 {
        if row.allSatisfy({ $0 == Self.dead }) { return Self.dead }
        wide += row
        return UInt16(wide.count / 256 - 1)
    }

    /// The class that all scalars of `low...high` have, nil when they differ; `Alphabet.none` for surrogates.
    private func single(_ alphabet: Alphabet, _ low: UInt32, _ high: UInt32) -> UInt16? {
        var segment = alphabet.segment(of: low)
        let first = alphabet.classes[segment]
        while alphabet.end(ofSegment: segment) < high {
            segment += 1
            if alphabet.classes[segment] != first { return nil }
        }
        return first
    }

    /// The position that reads `count` continuation bytes of the scalars from `base` on.
    private mutating func continuation(
        _ alphabet: Alphabet, _ base: UInt32, _ count: UInt32, _ minimum: UInt32
    ) -> UInt16 {
        let size: UInt32 = 1 << (6 * count)
        if base > CodePointSet.maximum || base + size <= minimum { return Self.dead }
        let whole = base >= minimum && base + size - 1 <= CodePointSet.maximum
        var key: UInt32?
        if whole, let one = single(alphabet, base, base + size - 1) {
            if one == Alphabet.none { return Self.dead }
            if count == 0 { return Self.outputBit | one }
            key = UInt32(one) << 8 | count
        }
        if let key, let known = uniform[key] { return known }
        if count == 0 { return Self.outputBit | alphabet.classOf(base) }
        var row = [UInt16](repeating: Self.dead, count: 256)
        for index in 0..<64 as Range<UInt32> {
            row[Int(0x80 + index)] = continuation(alphabet, base + index << (6 * (count - 1)), count - 1, minimum)
        }
        let position = append(row)
        if let key { uniform[key] = position }
        return position
    }

    /// The position after a backslash in a JSON string.
    private mutating func escape(_ alphabet: Alphabet, canonical: Bool) -> UInt16 {
        var row = [UInt16](repeating: Self.dead, count: 256)
        let short: [(UInt8, UInt32)] = [
            (0x22, 0x22), (0x5C, 0x5C), (0x62, 8), (0x66, 12), (0x6E, 10), (0x72, 13), (0x74, 9),
        ]
        for (letter, scalar) in short { row[Int(letter)] = Self.outputBit | alphabet.classOf(scalar) }
        if canonical {
            var last: [[UInt16]] = []
            for high in 0..<2 as Range<UInt32> {
                var digits = [UInt16](repeating: Self.dead, count: 256)
                for low in 0..<16 as Range<UInt32> {
                    let scalar = high << 4 | low
                    if short.contains(where: { $0.1 == scalar }) { continue }
                    digits[Int(Self.lowerHex(low))] = Self.outputBit | alphabet.classOf(scalar)
                }
                last.append(digits)
            }
            var third = [UInt16](repeating: Self.dead, count: 256)
            third[0x30] = append(last[0])
            third[0x31] = append(last[1])
            var target = append(third)
            for _ in 0..<2 {
                var zero = [UInt16](repeating: Self.dead, count: 256)
                zero[0x30] = target
                target = append(zero)
            }
            row[0x75] = target
        } else {
            row[0x2F] = Self.outputBit | alphabet.classOf(0x2F)
            row[0x75] = hex(alphabet, 0, 4, high: nil)
        }
        return append(row)
    }

    private static func lowerHex(_ digit: UInt32) -> UInt8 { UInt8(digit < 10 ? 0x30 + digit : 0x57 + digit) }

    /// The position that reads `count` hexadecimal digits of the UTF-16 units from `base` on.
    /// - Parameter high: the high surrogate that came before, nil for none.
    private mutating func hex(_ alphabet: Alphabet, _ base: UInt32, _ count: UInt32, high: UInt32?) -> UInt16 {
        let size: UInt32 = 1 << (4 * count)
        let last = base + size - 1
        var key: UInt32?
        if let high {
            if last < 0xDC00 || base > 0xDFFF { return Self.dead }
            if count == 0 {
                return Self.outputBit | alphabet.classOf(0x10000 + (high - 0xD800) << 10 + (base - 0xDC00))
            }
        } else {
            if base >= 0xDC00, last <= 0xDFFF { return Self.dead }
            if last < 0xD800 || base > 0xDFFF, let one = single(alphabet, base, last) {
                if count == 0 { return Self.outputBit | one }
                key = UInt32(one) << 8 | 0x10 | count
            } else if base >= 0xD800, last <= 0xDBFF {
                let from = 0x10000 + (base - 0xD800) << 10
                if let one = single(alphabet, from, from + size << 10 - 1) { key = UInt32(one) << 8 | 0x20 | count }
            }
        }
        if let key, let known = uniform[key] { return known }
        let position: UInt16
        if count == 0 {
            position = lowSurrogate(alphabet, high: base)
        } else {
            var row = [UInt16](repeating: Self.dead, count: 256)
            for digit in 0..<16 as Range<UInt32> {
                let target = hex(alphabet, base + digit << (4 * (count - 1)), count - 1, high: high)
                row[Int(Self.lowerHex(digit))] = target
                if digit >= 10 { row[Int(Self.lowerHex(digit)) - 32] = target }
            }
            position = append(row)
        }
        if let key { uniform[key] = position }
        return position
    }

    private mutating func lowSurrogate(_ alphabet: Alphabet, high: UInt32) -> UInt16 {
        var target = hex(alphabet, 0, 4, high: high)
        for byte in [0x75, 0x5C] {
            var row = [UInt16](repeating: Self.dead, count: 256)
            row[byte] = target
            target = append(row)
        }
        return target
    }

    /// Joins bytes that all positions treat alike, and finds what each position can still produce.
    private mutating func compress(_ classCount: Int) {
        let count = wide.count / 256
        // Most rows have targets for few bytes only, so a column is told by its sum over the rows that have one.
        var hashes = [UInt64](repeating: 0, count: 256)
        for row in 0..<count {
            let salt = UInt64(row + 1) &* 0x9E37_79B9_7F4A_7C15
            for byte in 0..<256 {
                let target = wide[row &* 256 &+ byte]
                if target == Self.dead { continue }
                let mixed = (UInt64(target) &+ salt) &* 0xBF58_476D_1CE4_E5B9
                hashes[byte] &+= mixed ^ mixed >> 29
            }
        }
        var alike = [Int](repeating: 0, count: 256)
        for byte in 0..<256 {
            let known = representative.firstIndex { hashes[Int($0)] == hashes[byte] }
            byteClass[byte] = UInt8(truncatingIfNeeded: known ?? representative.count)
            if known == nil { representative.append(UInt8(byte)) }
            alike[byte] = Int(representative[Int(byteClass[byte])])
        }
        // Sums may be equal by chance; each byte is a class of its own then.
        var differs: UInt16 = 0
        for row in 0..<count {
            for byte in 0..<256 { differs |= wide[row &* 256 &+ byte] ^ wide[row &* 256 &+ alike[byte]] }
        }
        if differs != 0 {
            representative = Array(0...255)
            byteClass = representative
        }
        byteClassCount = representative.count
        rows.reserveCapacity(count * byteClassCount)
        for row in 0..<count { for byte in representative { rows.append(wide[row * 256 + Int(byte)]) } }
        findReachable(classCount, positions: count)
    }

    private mutating func findReachable(_ classCount: Int, positions: Int) {
        reachable = [ClassSet](repeating: ClassSet(count: classCount), count: positions)
        var done = [Bool](repeating: false, count: positions)
        func visit(_ position: Int, _ decoder: inout ScalarDecoder) {
            if done[position] { return }
            done[position] = true
            var found = ClassSet(count: classCount)
            for target in decoder.rows[position * decoder.byteClassCount..<(position + 1) * decoder.byteClassCount] {
                if target == Self.dead || target == Self.finish { continue }
                if target & Self.outputBit != 0 {
                    found.insert(Int(target & ~Self.outputBit))
                } else {
                    // Only the opening quote leads back to the boundary; what follows it is not of this scalar.
                    if target == 0 { continue }
                    visit(Int(target), &decoder)
                    found = found.union(decoder.reachable[Int(target)])
                }
            }
            decoder.reachable[position] = found
        }
        for position in 0..<positions { visit(position, &self) }
    }
}
