import OutputParsers
import Testing

/// SplitMix64: the same numbers for the same seed on every machine.
private struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

@Suite struct StopStringsTests {
    /// The same rule without streaming: the smallest end wins, then the longest string.
    private static func search(_ text: String, _ stops: [String]) -> (text: String, matched: String?) {
        let bytes = Array(text.utf8)
        for end in 0...bytes.count {
            let ending = stops.filter { !$0.isEmpty && bytes[..<end].reversed().starts(with: $0.utf8.reversed()) }
            if let longest = ending.max(by: { $0.utf8.count < $1.utf8.count }) {
                return (String(decoding: bytes[..<(end - longest.utf8.count)], as: UTF8.self), longest)
            }
        }
        return (text, nil)
    }

    private static func stream(_ pieces: [String], _ stops: [String]) -> (emitted: [String], matched: String?) {
        var finder = StopStrings(stops)
        var emitted: [String] = []
        for piece in pieces {
            let (text, matched) = finder.append(piece)
            emitted.append(text)
            if matched != nil { return (emitted, matched) }
        }
        emitted.append(finder.finish())
        return (emitted, nil)
    }

    @Test func everySplitOfRandomTextsFindsWhatASearchFinds() {
        let seed = UInt64.random(in: 0 ... .max)
        print("seed \(seed)")
        var random = Seeded(state: seed)
        // Few letters, so that stops overlap themselves and each other; some of several bytes with shared lead bytes.
        let alphabets: [[Unicode.Scalar]] = [
            ["a", "b"], ["a", "b", "é", "è"], ["日", "旧", "a"], ["\n", "#", "e", "\u{301}"],
        ]
        func word(_ alphabet: [Unicode.Scalar], _ length: ClosedRange<Int>) -> String {
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: length, using: &random) { text.append(alphabet.randomElement(using: &random)!) }
            return String(text)
        }
        for _ in 0..<400 {
            let alphabet = alphabets.randomElement(using: &random)!
            let text = word(alphabet, 0...9)
            let stops = (0..<Int.random(in: 0...4, using: &random)).map { _ in word(alphabet, 0...5) }
            let expected = Self.search(text, stops)
            let scalars = Array(text.unicodeScalars)
            // Every way of cutting the text between scalars.
            for cuts in 0..<(1 << max(0, scalars.count - 1)) {
                var pieces = [""]
                for (index, scalar) in scalars.enumerated() {
                    if index > 0, cuts >> (index - 1) & 1 == 1 { pieces.append("") }
                    pieces[pieces.count - 1].unicodeScalars.append(scalar)
                }
                let result = Self.stream(pieces, stops)
                let joined = result.emitted.joined()
                guard Array(joined.utf8) == Array(expected.text.utf8),
                    result.matched.map({ Array($0.utf8) }) == expected.matched.map({ Array($0.utf8) })
                else {
                    Issue.record("seed \(seed): \(pieces) with \(stops): got \(result), expected \(expected)")
                    return
                }
            }
        }
    }

    /// After each piece exactly the longest end that begins a stop string is missing from what was emitted.
    @Test func holdsBackNoMoreThanTheStartOfAStop() {
        let seed = UInt64.random(in: 0 ... .max)
        print("seed \(seed)")
        var random = Seeded(state: seed)
        for _ in 0..<300 {
            let stops = (0..<3).map { _ in
                String((0..<Int.random(in: 2...5, using: &random)).map { _ in "ab".randomElement(using: &random)! })
            }
            var finder = StopStrings(stops)
            var (seen, emitted) = ("", "")
            for _ in 0..<20 {
                let piece = String("abc".randomElement(using: &random)!)
                let (text, matched) = finder.append(piece)
                seen += piece
                emitted += text
                if matched != nil { break }
                let held = (0...seen.utf8.count).first { start in
                    let end = seen.dropFirst(start)
                    return stops.contains { $0.hasPrefix(end) }
                }!
                #expect(emitted == String(seen.prefix(held)), "seed \(seed): \(stops) after \(seen)")
            }
        }
    }

    @Test func aStopAcrossManyPiecesNeverLeaks() {
        var finder = StopStrings(["<|end|>"])
        var emitted = ""
        for piece in ["Hel", "lo <", "|", "e", "nd", "|"] {
            let (text, matched) = finder.append(piece)
            emitted += text
            #expect(matched == nil)
        }
        #expect(emitted == "Hello ")
        let (text, matched) = finder.append("> and more")
        #expect(text == "" && matched == "<|end|>")
        #expect(finder.append("later") == ("", nil))
        #expect(finder.finish() == "")
    }

    @Test func whatOnlyLookedLikeAStopComesOut() {
        var finder = StopStrings(["###", "END"])
        #expect(finder.append("a##").text == "a")
        #expect(finder.append("b EN").text == "##b ")
        #expect(finder.finish() == "EN")
    }

    @Test func noStopsPassEverythingThrough() {
        var finder = StopStrings(["", ""])
        #expect(finder.append("é\u{301}") == ("é\u{301}", nil))
        #expect(finder.finish() == "")
    }

    /// Canonically equal, but other bytes: not the stop string.
    @Test func comparesBytesNotCharacters() {
        var finder = StopStrings(["\u{E9}"])
        #expect(finder.append("e\u{301}x").matched == nil)
        #expect(finder.append("\u{E9}").matched == "\u{E9}")
    }
}
