import EngineBench
import Grammar
import Testing

/// The measurement itself: what it counts as compiled, refused and wrong.
struct GrammarBenchTests {
    static let vocabulary = TokenVocabulary(size: 257, endTokens: [256], specialTokens: [256]) { [UInt8($0)] }

    static func run(_ lines: String) throws -> GrammarBench.Result {
        let cases = try #require(GrammarCase.read(Array(lines.utf8)))
        let bench = GrammarBench(vocabulary, warmth: .zero) { text in text.map(Int32.init) }
        return bench.run(cases.map { GrammarBench.subject($0) }, repetitions: 2)
    }

    @Test func textsKeepTheirOrderAndLoseTheirSpace() throws {
        let line = #"{"id": "x", "schema": {"a": [1, "b c"]}, "valid": [{"z": 1, "a": "}, ["}, 2], "invalid": []}"#
        let item = try #require(GrammarCase.read(Array(line.utf8))?.first)
        #expect(item.schema == Array(#"{"a":[1,"b c"]}"#.utf8))
        #expect(item.valid == [Array(#"{"z":1,"a":"}, ["}"#.utf8), Array("2".utf8)])
        #expect(item.invalid == [])
        #expect(GrammarCase.read(Array("[]".utf8)) == nil)
    }

    @Test func rightAndWrongVerdictsAreTold() throws {
        let result = try Self.run(
            #"""
            {"id": "right", "schema": {"type": "integer"}, "valid": [1, -20], "invalid": ["a", 1.5]}
            {"id": "wrong", "schema": {"type": "string"}, "valid": [1], "invalid": ["a"]}
            """#)
        #expect(result.compileMicroseconds.count == 2)
        #expect(result.validCount == 3)
        #expect(result.invalidCount == 3)
        #expect(result.wrong == ["wrong: valid text 0 is rejected", "wrong: invalid text 0 is accepted"])
        #expect(result.maskMicroseconds.count > 6)
        #expect(result.table.contains("compile"))
    }

    @Test func patternsAreMatchedWhole() {
        let bench = GrammarBench(Self.vocabulary, warmth: .zero) { text in text.map(Int32.init) }
        let result = bench.run(
            [GrammarBench.subject(pattern: "[ab]{2,3}", valid: ["ab", "bbb"], invalid: ["a", "abab"])], repetitions: 1)
        #expect(result.wrong == [])
        #expect(result.refused.isEmpty)
    }
}
