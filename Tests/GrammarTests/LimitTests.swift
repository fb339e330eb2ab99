import Grammar
import Synchronization
import Testing

/// What hostile and broken constraints end in.
struct LimitTests {
    static let vocabulary = TestVocabulary.make(["ab", "aaaa"])

    @Test func aPatternWithTooManyStatesIsRefused() {
        // One language written twice, so that nothing is in the difference; to know it, 2^40 states have to be seen.
        #expect {
            let one = try RegularLanguage(pattern: "(a|b)*a(a|b){40}", anchoring: .whole)
            let other = try RegularLanguage(pattern: "(a|b)*a(a|b){20}(a|b){20}", anchoring: .whole)
            _ = try one.isSubset(of: other)
        } throws: { error in
            if case GrammarError.limitExceeded = error { true } else { false }
        }
    }

    @Test func deepNestingIsRefused() {
        let deep = String(repeating: "(", count: 5_000) + "a" + String(repeating: ")", count: 5_000)
        #expect(throws: GrammarError.limitExceeded(bound: "maximumNesting", limit: 200)) {
            try RegularLanguage(pattern: deep, anchoring: .whole)
        }
        var builder = GrammarBuilder()
        #expect(throws: GrammarError.limitExceeded(bound: "maximumNesting", limit: 200)) {
            try EBNFGrammar.expression("root ::= " + deep, in: &builder)
        }
    }

    /// Long chains of rules and long texts before a counter are no deep recursions.
    @Test func longChainsAreWalkedFlat() throws {
        var rules = ["root ::= r1"]
        for number in 1..<4_000 { rules.append("r\(number) ::= r\(number + 1)") }
        rules.append("r4000 ::= \"end\"")
        #expect(EBNFTests.accepts(try EBNFTests.grammar(rules.joined(separator: "\n")), "end"))
        #expect(throws: GrammarError.limitExceeded(bound: "maximumRules", limit: 10_000)) {
            let many = (0..<10_001).map { "r\($0) ::= \"a\"" }.joined(separator: "\n")
            _ = try EBNFTests.grammar("root ::= r0\n" + many)
        }
        let long = String(repeating: "ab", count: 50_000)
        var builder = GrammarBuilder()
        let root = builder.regular(try RegularLanguage(pattern: long + "c{0,1000}", anchoring: .whole))
        let grammar = try CompiledGrammar(GrammarIR(builder: builder, root: root), vocabulary: Self.vocabulary)
        var matcher = grammar.makeMatcher()
        var mask = TokenMask(count: Self.vocabulary.size)
        matcher.fill(&mask)
        #expect(mask.contains(2))
        let taken = matcher.accept(bytes: long.utf8.prefix(1_000))
        #expect(taken)
    }

    @Test func aCancelledQuestionEnds() async {
        let task = Task {
            let one = try RegularLanguage(pattern: "(a|b)*a(a|b){40}", anchoring: .whole)
            let other = try RegularLanguage(pattern: "(a|b)*a(a|b){20}(a|b){20}", anchoring: .whole)
            while !Task.isCancelled { await Task.yield() }
            return try one.isSubset(of: other)
        }
        task.cancel()
        await #expect(throws: GrammarError.cancelled) { _ = try await task.value }
    }

    @Test func longSourcesAreRefused() {
        var limits = GrammarLimits()
        limits.maximumSourceBytes = 100
        let long = String(repeating: "a", count: 101)
        #expect(throws: GrammarError.limitExceeded(bound: "maximumSourceBytes", limit: 100)) {
            try RegularLanguage(pattern: long, anchoring: .whole, limits: limits)
        }
        var builder = GrammarBuilder(limits: limits)
        #expect(throws: GrammarError.limitExceeded(bound: "maximumSourceBytes", limit: 100)) {
            try EBNFGrammar.expression("root ::= \"\(long)\"", in: &builder)
        }
    }

    @Test func hugeTermsAndGrammarsAreRefused() throws {
        var limits = GrammarLimits()
        limits.maximumPatternNodes = 100
        let texts = RegularLanguage.texts((0..<200).map { "text \($0 * 7_919)" })
        #expect(throws: GrammarError.limitExceeded(bound: "maximumPatternNodes", limit: 100)) {
            try texts.isEmpty(limits)
        }
        limits.maximumExpressions = 50
        var builder = GrammarBuilder(limits: limits)
        let root = builder.sequence((0..<100).map { builder.choice([builder.text("\($0)"), builder.text("a\($0)")]) })
        #expect(throws: GrammarError.limitExceeded(bound: "maximumExpressions", limit: 50)) {
            try CompiledGrammar(GrammarIR(builder: builder, root: root), vocabulary: Self.vocabulary)
        }
    }

    /// Counters cost nothing until they are reached, and long texts stay within the cache's bytes.
    @Test func largeCountersStaySmall() throws {
        var limits = GrammarLimits()
        limits.maximumCacheBytes = 64 << 10
        var builder = GrammarBuilder(limits: limits)
        let leaf = builder.regular(
            try RegularLanguage(pattern: "[ab]{0,1000000}c", anchoring: .whole), .jsonString)
        let root = builder.repetition(builder.sequence([leaf, builder.text(",")]), minimum: 0, maximum: 1_000_000)
        let grammar = try CompiledGrammar(GrammarIR(builder: builder, root: root), vocabulary: Self.vocabulary)
        var matcher = grammar.makeMatcher()
        var mask = TokenMask(count: Self.vocabulary.size)
        for number in 0..<300 {
            let taken = matcher.accept(bytes: "\"abab\(number % 2 == 0 ? "a" : "bb")c\",".utf8)
            try #require(taken)
            matcher.fill(&mask)
        }
        #expect(grammar.failure == nil)
        #expect(grammar.byteCount < 2 << 20)
    }

    /// A source that names a rule for every text read so far: rules are asked for only when they are reached.
    @Test func lazyRulesAreMadeOnce() throws {
        final class Counting: RuleSource {
            let asked = Mutex<[Int32]>([])
            let handle = Mutex<GrammarBuilder.Source?>(nil)

            func body(
                of key: [Int32], in builder: inout GrammarBuilder
            ) throws(GrammarError) -> GrammarBuilder.Expression {
                asked.withLock { $0.append(key[0]) }
                guard let source = handle.withLock({ $0 }) else { return GrammarBuilder.never }
                let next = builder.lazyRule(source, [key[0] + 1])
                return builder.choice([builder.text("."), builder.sequence([builder.text("\(key[0] % 10)"), next])])
            }
        }
        let source = Counting()
        var builder = GrammarBuilder()
        let handle = builder.register(source)
        source.handle.withLock { $0 = handle }
        let root = builder.lazyRule(handle, [0])
        let grammar = try CompiledGrammar(GrammarIR(builder: builder, root: root), vocabulary: Self.vocabulary)
        for _ in 0..<2 {
            var matcher = grammar.makeMatcher()
            let taken = matcher.accept(bytes: "0123456".utf8)
            #expect(taken)
            #expect(MaskOracle.texts(matcher, Self.vocabulary).isSuperset(of: ["7", "."]))
        }
        #expect(source.asked.withLock { $0 } == Array(0...8))
    }
}
