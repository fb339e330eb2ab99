import Grammar
import TestSupport
import Testing

/// Random grammars, random vocabularies, random walks: every bit of every mask, and every text at the end of a walk.
struct MaskPropertyTests {
    /// Tokens that cut scalars and escapes in the middle.
    static func vocabulary(_ random: inout SeededGenerator) -> TokenVocabulary {
        var tokens: [[UInt8]] = []
        let pieces =
            Specification.alphabet.map { String(Character(Unicode.Scalar($0) ?? "a")) }
            + ["\\u00", "\\u", "\\\"", "aa", "00", "\\ud83d", "\\ude00", "61", "\"\"", "e9"]
        for _ in 0..<120 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 1...5, using: &random) {
                bytes += (pieces.randomElement(using: &random) ?? "a").utf8
            }
            let from = Int.random(in: 0..<min(3, bytes.count), using: &random)
            let to = Int.random(in: max(from + 1, bytes.count - 2)...bytes.count, using: &random)
            tokens.append(Array(bytes[from..<to]))
        }
        return TestVocabulary.make(tokens)
    }

    struct Sample {
        var root: Specification
        var rules: [Specification]

        func grammar(_ vocabulary: TokenVocabulary) throws -> CompiledGrammar {
            var builder = GrammarBuilder()
            let handles = rules.indices.map { builder.declareRule("rule\($0)") }
            for (handle, rule) in zip(handles, rules) {
                builder.define(handle, as: rule.expression(handles, &builder))
            }
            let expression = root.expression(handles, &builder)
            return try CompiledGrammar(GrammarIR(builder: builder, root: expression), vocabulary: vocabulary)
        }
    }

    static func sample(_ random: inout SeededGenerator) -> Sample {
        let count = Int.random(in: 1...3, using: &random)
        return Sample(
            root: .any(&random, 3, rules: count), rules: (0..<count).map { _ in .any(&random, 3, rules: count) })
    }

    @Test(arguments: 0..<6)
    func everyBitOfEveryMaskIsThePlainAnswer(batch: Int) throws {
        let seed = UInt64(1_000 + batch)
        var random = SeededGenerator(seed: seed)
        var walks = 0
        for number in 0..<60 {
            let vocabulary = Self.vocabulary(&random)
            let sample = Self.sample(&random)
            let grammar: CompiledGrammar
            do { grammar = try sample.grammar(vocabulary) } catch GrammarError.unsatisfiable { continue }
            for _ in 0..<3 {
                walks += 1
                var matcher = grammar.makeMatcher()
                var text: [UInt8] = []
                for step in 0..<14 {
                    var mask = TokenMask(count: vocabulary.size)
                    matcher.fill(&mask)
                    let plain = MaskOracle.mask(matcher, vocabulary)
                    try #require(mask == plain, "seed \(seed), grammar \(number), after \(text), step \(step)")
                    let forced = matcher.forcedBytes(limit: 8)
                    if let first = forced.first {
                        #expect(!matcher.canEnd)
                        for id in mask.allowedTokens { #expect(vocabulary.bytes(of: id).first == first) }
                    }
                    guard let token = mask.allowedTokens.randomElement(using: &random) else {
                        Issue.record("stuck: seed \(seed), grammar \(number), after \(text)")
                        break
                    }
                    text += token == TestVocabulary.end ? [] : Array(vocabulary.bytes(of: token))
                    let taken = matcher.accept(token)
                    try #require(taken)
                    if matcher.isTerminated {
                        let scalars = String(decoding: text, as: UTF8.self).unicodeScalars.map(\.value)
                        #expect(
                            sample.root.matches(scalars, sample.rules),
                            "seed \(seed), grammar \(number): \(String(decoding: text, as: UTF8.self))")
                        break
                    }
                }
                #expect(grammar.failure == nil)
            }
        }
        #expect(walks > 60)
    }

    /// A text is accepted exactly when the naive matcher accepts it.
    @Test(arguments: 0..<4)
    func textsAreJudgedAsByTheNaiveMatcher(batch: Int) throws {
        let seed = UInt64(2_000 + batch)
        var random = SeededGenerator(seed: seed)
        let vocabulary = TestVocabulary.make([String]())
        var accepted = 0
        for number in 0..<150 {
            let sample = Self.sample(&random)
            let grammar = try? sample.grammar(vocabulary)
            for _ in 0..<40 {
                let count = Int.random(in: 0...6, using: &random)
                var scalars = (0..<count).map { _ in Specification.alphabet.randomElement(using: &random) ?? 0x61 }
                if Bool.random(using: &random) { scalars = [0x22] + scalars + [0x22] }
                var text = ""
                for scalar in scalars { text.unicodeScalars.append(Unicode.Scalar(scalar) ?? "a") }
                var matcher = grammar?.makeMatcher()
                let taken = matcher?.accept(bytes: text.utf8) ?? false
                let verdict = taken && matcher?.canEnd == true
                let expected = sample.root.matches(scalars, sample.rules)
                if expected { accepted += 1 }
                #expect(verdict == expected, "seed \(seed), grammar \(number): \(text)")
            }
        }
        #expect(accepted > 200)
    }

    /// Masks of counters near and far from their ends, where pieces are shared between counts.
    @Test func countersShareMasksOnlyWhereTheyAgree() throws {
        var random = SeededGenerator(seed: 77)
        let tokens =
            (1...40).map { String(repeating: "a", count: $0) } + ["aab", "ab", "b", "bb", "aaaaaaab", "éa", "aé"]
        let vocabulary = TestVocabulary.make(tokens)
        for pattern in ["a{0,90}", "a{20,60}b", "[ab]{3,50}", "(a{2,70}b){1,3}", "[aé]{0,64}b?", "a{0,3}a{0,80}"] {
            for encoding in [RegularEncoding.utf8, .jsonString] {
                var builder = GrammarBuilder()
                let leaf = builder.regular(try RegularLanguage(pattern: pattern, anchoring: .whole), encoding)
                let root = builder.sequence([leaf, builder.text("b")])
                let grammar = try CompiledGrammar(GrammarIR(builder: builder, root: root), vocabulary: vocabulary)
                for _ in 0..<6 {
                    var matcher = grammar.makeMatcher()
                    for _ in 0..<60 where !matcher.isTerminated {
                        var mask = TokenMask(count: vocabulary.size)
                        matcher.fill(&mask)
                        try #require(mask == MaskOracle.mask(matcher, vocabulary), "\(pattern) \(encoding)")
                        guard let token = mask.allowedTokens.randomElement(using: &random) else { break }
                        _ = matcher.accept(token)
                    }
                }
            }
        }
    }

    @Test func rollingBackAndForkingGiveTheSameMasks() throws {
        var random = SeededGenerator(seed: 5)
        for _ in 0..<40 {
            let vocabulary = Self.vocabulary(&random)
            guard let grammar = try? Self.sample(&random).grammar(vocabulary) else { continue }
            var matcher = grammar.makeMatcher()
            var masks: [TokenMask] = []
            for _ in 0..<8 where !matcher.isTerminated {
                var mask = TokenMask(count: vocabulary.size)
                matcher.fill(&mask)
                masks.append(mask)
                guard let token = mask.allowedTokens.randomElement(using: &random) else { break }
                let fork = matcher
                _ = matcher.accept(token)
                var again = TokenMask(count: vocabulary.size)
                fork.fill(&again)
                #expect(again == mask)
            }
            while matcher.stepCount > 0 {
                matcher.rollback(1)
                var mask = TokenMask(count: vocabulary.size)
                matcher.fill(&mask)
                #expect(mask == masks[matcher.stepCount])
            }
        }
    }

    /// Building ahead changes no mask, however far it goes.
    @Test func warmingChangesNoMask() throws {
        var random = SeededGenerator(seed: 9)
        for _ in 0..<30 {
            let vocabulary = Self.vocabulary(&random)
            let sample = Self.sample(&random)
            guard let cold = try? sample.grammar(vocabulary) else { continue }
            let warm = try sample.grammar(vocabulary)
            warm.warm(for: .seconds(5))
            var matchers = (cold.makeMatcher(), warm.makeMatcher())
            for _ in 0..<8 where !matchers.0.isTerminated {
                var masks = (TokenMask(count: vocabulary.size), TokenMask(count: vocabulary.size))
                matchers.0.fill(&masks.0)
                matchers.1.fill(&masks.1)
                #expect(masks.0 == masks.1)
                guard let token = masks.0.allowedTokens.randomElement(using: &random) else { break }
                _ = matchers.0.accept(token)
                _ = matchers.1.accept(token)
            }
            #expect(warm.failure == nil)
        }
    }
}
