import Grammar
import TestSupport

/// A grammar as a plain tree, with two readings: the arena's, and a naive matcher that the arena is compared with.
indirect enum Specification {
    case set(Set<UInt32>)
    case sequence([Specification])
    case choice([Specification])
    case repetition(Specification, Int, Int?)
    case intersection(Specification, Specification)
    case complement(Specification)
    /// A JSON string whose value is in the inner language.
    case quoted(Specification)
    /// A leaf on its own, so that it is no part of a larger one.
    case leaf(Specification)
    case rule(Int)

    /// The term, for specifications without rules and quotes.
    var language: RegularLanguage {
        switch self {
        case .set(let members): .set(CodePointSet(members))
        case .sequence(let parts): .concatenation(parts.map(\.language))
        case .choice(let parts): .union(parts.map(\.language))
        case .repetition(let part, let low, let high): part.language.repeated(low, high)
        case .intersection(let first, let second): first.language.intersection(second.language)
        case .complement(let part): part.language.complement
        case .leaf(let part): part.language
        case .quoted, .rule: .nothing
        }
    }

    func expression(_ rules: [GrammarBuilder.Rule], _ builder: inout GrammarBuilder) -> GrammarBuilder.Expression {
        switch self {
        case .set(let members):
            if members.count == 1, let only = members.first.flatMap(Unicode.Scalar.init) {
                return builder.text(String(Character(only)))
            }
            return builder.regular(language)
        case .sequence(let parts): return builder.sequence(parts.map { $0.expression(rules, &builder) })
        case .choice(let parts): return builder.choice(parts.map { $0.expression(rules, &builder) })
        case .repetition(let part, let low, let high):
            return builder.repetition(part.expression(rules, &builder), minimum: low, maximum: high)
        case .intersection, .complement: return builder.regular(language)
        case .quoted(let part): return builder.regular(part.language, .jsonString)
        case .leaf(let part): return builder.regular(part.language)
        case .rule(let index): return builder.reference(rules[index])
        }
    }

    /// All places where a match that starts at `start` can end.
    func ends(_ text: [UInt32], _ start: Int, _ rules: [Specification], depth: Int = 0) -> Set<Int> {
        switch self {
        case .set(let members): return start < text.count && members.contains(text[start]) ? [start + 1] : []
        case .sequence(let parts):
            var places: Set<Int> = [start]
            for part in parts { places = Set(places.flatMap { part.ends(text, $0, rules, depth: depth) }) }
            return places
        case .choice(let parts): return Set(parts.flatMap { $0.ends(text, start, rules, depth: depth) })
        case .repetition(let part, let low, let high):
            var places: Set<Int> = [start]
            var all: Set<Int> = low == 0 ? [start] : []
            var count = 0
            while !places.isEmpty, count < high ?? (text.count + low + 1) {
                places = Set(places.flatMap { part.ends(text, $0, rules, depth: depth) })
                count += 1
                if count >= low {
                    if places.isSubset(of: all) { break }
                    all.formUnion(places)
                }
            }
            return all
        case .intersection(let first, let second):
            return first.ends(text, start, rules).intersection(second.ends(text, start, rules))
        case .complement(let part): return Set(start...text.count).subtracting(part.ends(text, start, rules))
        case .leaf(let part): return part.ends(text, start, rules)
        case .quoted(let part):
            guard let (value, end) = Self.jsonString(text, start) else { return [] }
            return part.ends(value, 0, rules).contains(value.count) ? [end] : []
        case .rule(let index):
            // Every rule of a random grammar takes a scalar before it comes to a rule again.
            return depth > text.count + 2 ? [] : rules[index].ends(text, start, rules, depth: depth + 1)
        }
    }

    func matches(_ text: [UInt32], _ rules: [Specification]) -> Bool { ends(text, 0, rules).contains(text.count) }

    /// Reads a JSON string that starts at `start`: its value and where it ends.
    private static func jsonString(_ text: [UInt32], _ start: Int) -> ([UInt32], Int)? {
        guard start < text.count, text[start] == 0x22 else { return nil }
        var value: [UInt32] = []
        var units: [UInt16] = []
        var index = start + 1
        func flush() -> Bool {
            let decoded = String(decoding: units, as: UTF16.self)
            if Array(decoded.utf16) != units { return false }
            value += decoded.unicodeScalars.map(\.value)
            units = []
            return true
        }
        while index < text.count {
            let scalar = text[index]
            index += 1
            if scalar == 0x22 { return flush() ? (value, index) : nil }
            if scalar < 0x20 { return nil }
            guard scalar == 0x5C else {
                if !flush() { return nil }
                value.append(scalar)
                continue
            }
            guard index < text.count, let letter = Unicode.Scalar(text[index]) else { return nil }
            index += 1
            if letter == "u" {
                guard index + 4 <= text.count else { return nil }
                let digits = String(String.UnicodeScalarView(text[index..<index + 4].compactMap(Unicode.Scalar.init)))
                guard digits.utf8.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
                    let unit = UInt16(digits, radix: 16)
                else { return nil }
                units.append(unit)
                index += 4
                continue
            }
            if !flush() { return nil }
            let plain: [Unicode.Scalar: UInt32] = [
                "\"": 0x22, "\\": 0x5C, "/": 0x2F, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9,
            ]
            guard let meant = plain[letter] else { return nil }
            value.append(meant)
        }
        return nil
    }
}

extension Specification {
    static let alphabet: [UInt32] = "ab\"\\u0é漢\u{1F600}".unicodeScalars.map(\.value)

    /// A random regular specification without rules.
    static func regular(_ random: inout SeededGenerator, _ depth: Int, booleans: Bool = true) -> Specification {
        if depth == 0 {
            let count = Int.random(in: 1...4, using: &random)
            return .set(Set((0..<count).map { _ in alphabet.randomElement(using: &random) ?? 0x61 }))
        }
        func part(_ random: inout SeededGenerator) -> Specification {
            regular(&random, Int.random(in: 0..<depth, using: &random), booleans: booleans)
        }
        switch Int.random(in: 0..<(booleans ? 9 : 7), using: &random) {
        case 0...2: return .sequence((0..<Int.random(in: 0...3, using: &random)).map { _ in part(&random) })
        case 3: return .choice((0..<Int.random(in: 1...3, using: &random)).map { _ in part(&random) })
        case 4...6:
            let low = Int.random(in: 0...3, using: &random)
            let high: Int? = Bool.random(using: &random) ? nil : low + Int.random(in: 0...6, using: &random)
            return .repetition(part(&random), low, high)
        case 7: return .intersection(part(&random), part(&random))
        default: return .complement(part(&random))
        }
    }

    /// A random specification that may use rules `0 ..< rules`, each use after a scalar of its own.
    static func any(_ random: inout SeededGenerator, _ depth: Int, rules: Int) -> Specification {
        if depth == 0 { return regular(&random, 0) }
        func part(_ random: inout SeededGenerator) -> Specification {
            any(&random, Int.random(in: 0..<depth, using: &random), rules: rules)
        }
        switch Int.random(in: 0..<10, using: &random) {
        case 0...2: return .sequence((0..<Int.random(in: 1...3, using: &random)).map { _ in part(&random) })
        case 3...4: return .choice((0..<Int.random(in: 1...3, using: &random)).map { _ in part(&random) })
        case 5:
            let low = Int.random(in: 0...2, using: &random)
            let high: Int? = Bool.random(using: &random) ? nil : low + Int.random(in: 0...3, using: &random)
            return .repetition(part(&random), low, high)
        case 6: return .leaf(regular(&random, 2))
        case 7: return .quoted(regular(&random, 2))
        default:
            let first = Set([alphabet.randomElement(using: &random) ?? 0x61])
            return .sequence([.set(first), .rule(Int.random(in: 0..<rules, using: &random))])
        }
    }
}
