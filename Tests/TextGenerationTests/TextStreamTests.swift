import EngineInterface
import TestSupport
import TextGeneration
import Testing

struct TextStreamTests {
    /// What a stream made of a generation.
    private struct Outcome {
        /// The text after each event.
        var texts: [String] = []
        var deltas: [TextDelta] = []
        var finishes: [TextFinish] = []
        /// Tokens the stream had seen when it finished.
        var taken = 0

        var text: String { texts.last ?? "" }
    }

    private static func run(
        _ ids: [Int32], stop: [String] = [], patterns: [String] = [], includeStop: Bool = false,
        skipSpecialTokens: Bool = true, reason: FinishReason = .length,
        _ change: (inout SamplingParameters) -> Void = { _ in }
    ) throws -> Outcome {
        var sampling = SamplingParameters()
        change(&sampling)
        let request = TextRequest(
            id: "r", prompt: .tokens([1, 2, 3]), sampling: sampling, stop: stop, includeStop: includeStop,
            skipSpecialTokens: skipSpecialTokens)
        var stream = TextStream(
            request, promptTokens: 3, tokenizer: try ByteModel.tokenizer(),
            endOfSequenceIDs: ByteModel.information.endOfSequenceIDs, patterns: try StopPatterns(patterns))
        let report = CacheReport(promptTokens: 3, cachedTokens: 2)
        #expect(stream.next(.started(report)) == [.started(report)])
        var outcome = Outcome()
        var events = ids.map { GenerationEvent.token(GeneratedToken(id: $0, logprob: Float(-$0))) }
        events.append(
            .finished(reason, GenerationUsage(promptTokens: 3, completionTokens: ids.count, cachedTokens: 2)))
        for event in events {
            let wasFinished = stream.isFinished
            let told = stream.next(event)
            if wasFinished { #expect(told.isEmpty) } else { outcome.taken += 1 }
            for event in told {
                switch event {
                case .started: Issue.record("started twice")
                case .delta(let delta):
                    #expect(outcome.finishes.isEmpty)
                    outcome.deltas.append(delta)
                    outcome.texts.append(outcome.text + delta.text)
                case .finished(let finish): outcome.finishes.append(finish)
                }
            }
            #expect(stream.isFinished == !outcome.finishes.isEmpty)
        }
        #expect(outcome.finishes.count == 1)
        // Every token is told once, in order, with what came with it.
        let tokens = outcome.deltas.flatMap(\.tokens)
        #expect(tokens.map(\.id) == Array(ids.prefix(tokens.count)))
        #expect(tokens.allSatisfy { $0.logprob == Float(-$0.id) })
        return outcome
    }

    @Test func plainText() throws {
        let outcome = try Self.run(ByteModel.ids("Hello, ") + [ByteModel.id("abc")])
        #expect(outcome.text == "Hello, abc")
        #expect(outcome.deltas.count == 8)
        #expect(
            outcome.finishes == [
                TextFinish(
                    reason: .length, usage: GenerationUsage(promptTokens: 3, completionTokens: 8, cachedTokens: 2))
            ])
    }

    @Test func stopStringOverTokenBorders() throws {
        let ids = ByteModel.ids("so S") + [ByteModel.id("ST"), ByteModel.id("OP")] + ByteModel.ids(" more")
        let outcome = try Self.run(ids, stop: ["STOP"])
        #expect(outcome.text == "so S")
        #expect(outcome.texts == ["s", "so", "so ", "so ", "so S", "so S"])
        #expect(
            outcome.finishes == [
                TextFinish(
                    reason: .stopString("STOP"),
                    usage: GenerationUsage(promptTokens: 3, completionTokens: 6, cachedTokens: 2))
            ])
        let included = try Self.run(ids, stop: ["STOP"], includeStop: true)
        #expect(included.text == "so SSTOP")
        #expect(included.finishes.first?.reason == .stopString("STOP"))
    }

    @Test func heldBackTextIsToldAtTheEnd() throws {
        let outcome = try Self.run(ByteModel.ids("xab"), stop: ["abc"])
        #expect(outcome.texts == ["x", "x", "x", "xab"])
        #expect(outcome.deltas.last == TextDelta(text: "ab", tokens: []))
        #expect(outcome.finishes.first?.reason == .length)
        // Also where the engine stopped for another reason.
        let aborted = try Self.run(ByteModel.ids("xab"), stop: ["abc"], reason: .aborted)
        #expect(aborted.text == "xab" && aborted.finishes.first?.reason == .aborted)
        let failed = try Self.run([], reason: .failed(.shuttingDown))
        #expect(failed.deltas.isEmpty && failed.finishes.first?.reason == .failed(.shuttingDown))
    }

    @Test func aPatternEndsTheTextBehindItsMatch() throws {
        let ids = ByteModel.ids("so S") + [ByteModel.id("ST"), ByteModel.id("OP")] + ByteModel.ids(" more")
        // Within a token, over token borders; of several the first to be complete.
        #expect(try Self.run(ids, patterns: ["TO"]).text == "so SSTO")
        let outcome = try Self.run(ids, patterns: ["m.r", "S{2}T"])
        #expect(outcome.text == "so SST" && outcome.finishes.first?.reason == .stopString("S{2}T"))
        // What a stop string holds back is part of the text then; a stop string that ends earlier wins.
        #expect(try Self.run(ids, stop: ["STOPPED"], patterns: ["TO"]).text == "so SSTO")
        let both = try Self.run(ids, stop: ["ST"], patterns: ["TO"])
        #expect(both.text == "so S" && both.finishes.first?.reason == .stopString("ST"))
        #expect(try Self.run(ids, patterns: ["never"]).finishes.first?.reason == .length)
        let cut = try Self.run(Array(ByteModel.ids("a😀").dropLast()), patterns: ["\u{FFFD}"])
        #expect(cut.text == "a\u{FFFD}" && cut.finishes.first?.reason == .stopString("\u{FFFD}"))
    }

    @Test(arguments: [
        ("b", "abc", 2), ("[0-9]+", "ab12", 3), ("a.c", "abacus abc", 10), ("x", "abc", 3), ("é+!", "né é! é", 5),
        ("cat|catalogue", "a catalogue", 5), ("^ab", "xab", 3), ("^ab", "abx", 2), ("ab$", "abab", 2),
        (#"\bdog\b "#, "hotdog dog dog", 11), ("(ab){2}c", "ababab abababc", 14), ("(a+)+b", "aaaaaaaaaaaaaac", 15),
    ])
    func theFirstMatchEndsTheText(pattern: String, text: String, length: Int) throws {
        #expect(try Self.run(ByteModel.ids(text), patterns: [pattern]).text == String(text.prefix(length)))
    }

    @Test func aPatternThatTakesTooMuchFailsItsRequest() throws {
        var bits: UInt32 = 1
        let ids = (0..<20_000).map { _ in
            bits = bits &* 1_664_525 &+ 1_013_904_223
            return ByteModel.ids(bits >> 31 == 0 ? "a" : "b")[0]
        }
        // Which of the last twenty were an a: each answer is a state.
        let outcome = try Self.run(ids, patterns: ["a[ab]{20}c"])
        guard case .failed(.invalidParameter(let field, _, _))? = outcome.finishes.first?.reason else {
            Issue.record("\(outcome.finishes)")
            return
        }
        #expect(field == "stop_regex")
    }

    @Test func charactersAreNeverCut() throws {
        let outcome = try Self.run(ByteModel.ids("aé😀"))
        #expect(outcome.texts == ["a", "a", "aé", "aé", "aé", "aé", "aé😀"])
        // What stays incomplete is shown as such when no more can come.
        let cut = try Self.run(Array(ByteModel.ids("a😀").dropLast()))
        #expect(cut.texts.dropLast() == ["a", "a", "a", "a"])
        #expect(cut.text == "a\u{FFFD}")
        // Even that may be a stop string.
        let stopped = try Self.run(Array(ByteModel.ids("a😀").dropLast()), stop: ["\u{FFFD}"])
        #expect(stopped.text == "a" && stopped.finishes.first?.reason == .stopString("\u{FFFD}"))
    }

    @Test func endTokensAreNotShown() throws {
        let ids = ByteModel.ids("hi") + [ByteModel.end]
        func text(
            skip: Bool, include: Bool = false, _ change: (inout SamplingParameters) -> Void = { _ in }
        ) throws -> String {
            let outcome = try Self.run(
                ids, includeStop: include, skipSpecialTokens: skip, reason: .stopToken(ByteModel.end), change)
            #expect(outcome.finishes.first?.reason == .stopToken(ByteModel.end))
            #expect(outcome.finishes.first?.usage.completionTokens == 3)
            #expect(outcome.deltas.flatMap(\.tokens).count == 3)
            return outcome.text
        }
        #expect(try text(skip: true) == "hi")
        #expect(try text(skip: false) == "hi")
        #expect(try text(skip: true, include: true) == "hi")
        #expect(try text(skip: false, include: true) == "hi<|im_end|>")
        // An end that does not end is text, if special tokens are.
        #expect(try text(skip: false) { $0.ignoreEOS = true } == "hi<|im_end|>")
        #expect(try text(skip: true) { $0.ignoreEOS = true } == "hi")
        // A stop id of the request is not text either, special or not.
        let own = try Self.run(ByteModel.ids("hiA"), reason: .stopToken(65)) { $0.stopTokenIDs = [65] }
        #expect(own.text == "hi")
        let shown = try Self.run(ByteModel.ids("hiA"), includeStop: true, reason: .stopToken(65)) {
            $0.stopTokenIDs = [65]
        }
        #expect(shown.text == "hiA")
    }

    /// Texts, tokens and stop strings at random against a search that looks at the whole text.
    @Test func neverLeaks() throws {
        var generator = SeededGenerator(seed: 11)
        let letters = Array("abéST".utf8)
        var stopped = 0
        for round in 0..<3000 {
            var ids: [Int32] = []
            for _ in 0..<Int.random(in: 0...14, using: &generator) {
                let isPiece = Bool.random(using: &generator)
                ids.append(
                    isPiece
                        ? .random(in: 256..<262, using: &generator)
                        : Int32(letters[.random(in: 0..<letters.count, using: &generator)]))
            }
            let stop = (0..<Int.random(in: 0...3, using: &generator)).map { _ in
                String(
                    (0..<Int.random(in: 1...3, using: &generator)).map { _ in
                        "abéSTOP".randomElement(using: &generator) ?? "a"
                    })
            }
            let includeStop = Bool.random(using: &generator)
            let outcome = try Self.run(ids, stop: stop, includeStop: includeStop)
            let whole = String(decoding: ids.flatMap { ByteModel.bytes($0) }, as: UTF8.self)
            let expected = Self.search(whole, stop)
            let told = expected.text + (includeStop ? expected.stop ?? "" : "")
            let what = Comment("round \(round), seed 11: \(whole), stop \(stop)")
            #expect(outcome.text == told, what)
            let reason: TextFinish.Reason = expected.stop.map { .stopString($0) } ?? .length
            #expect(outcome.finishes.first?.reason == reason, what)
            #expect(outcome.texts.allSatisfy { told.utf8.starts(with: $0.utf8) }, what)
            if expected.stop != nil { stopped += 1 }
        }
        #expect(stopped > 300 && stopped < 2700)
    }

    /// The stop string that is complete first, the longest of those that are so at the same place.
    private static func search(_ text: String, _ stop: [String]) -> (text: String, stop: String?) {
        let bytes = Array(text.utf8)
        for end in 0...bytes.count {
            let found = stop.filter { bytes[..<end].suffix($0.utf8.count).elementsEqual($0.utf8) }
            guard let longest = found.max(by: { $0.utf8.count < $1.utf8.count }) else { continue }
            return (String(decoding: bytes[..<(end - longest.utf8.count)], as: UTF8.self), longest)
        }
        return (text, nil)
    }
}
