import ChatTemplates
import EngineInterface
import Testing
import TextGeneration
import Tokenizers

struct CacheExplanationTests {
    /// A report as the engine makes it for two prompts of which the first is cached.
    private func explain(
        _ prompt: String, cached: String, _ source: TextRequest.Prompt? = nil, sameAgain: Int = 0
    ) throws -> CacheExplanation {
        let tokenizer = try ByteModel.tokenizer()
        let tokens = tokenizer.encode(prompt, addSpecialTokens: false)
        let other = tokenizer.encode(cached, addSpecialTokens: false)
        let position = zip(tokens, other).prefix { $0 == $1 }.count
        var report = CacheReport(promptTokens: tokens.count, cachedTokens: position)
        let (own, others) = (tokens.count - position - sameAgain, other.count - position - sameAgain)
        report.divergence = CacheDivergence(
            position: position, cached: Array(other[position...].prefix(96)), differingPromptTokens: own,
            differingCachedTokens: others, sameAgainTokens: sameAgain)
        return CacheExplanation(report, tokens: tokens, prompt: source ?? .text(prompt), tokenizer: tokenizer)
    }

    @Test func aClockAtTheTopIsRecognised() throws {
        let rest = " You answer questions about the handbook. It has many chapters."
        let explanation = try explain(
            "Now: 2026-11-24 12:05:31." + rest, cached: "Now: 2026-11-24 12:04:11." + rest,
            sameAgain: rest.utf8.count + 1 + 1)
        let difference = try #require(explanation.difference)
        #expect(difference.promptText == "12:05:31." && difference.cachedText == "12:04:11.")
        #expect(difference.before.hasSuffix("2026-11-24 ") && difference.after.hasPrefix(" You answer"))
        #expect(difference.likeness == .time && difference.place == .prompt)
        #expect(explanation.summary.contains("'12:05:31.' where '12:04:11.' is cached, which looks like a time"))
    }

    @Test(arguments: [
        ("Tuesday, 3 March", "Monday, 2 March", CacheExplanation.Likeness.time),
        ("at 1764000000", "at 1764000007", .time),
        ("id 9f3b2c1d-11aa-4bcd-9e11-0123456789ab", "id 1f3b2c1d-11aa-4bcd-9e11-0123456789ab", .identifier),
        ("session 18", "session 17", .number),
        ("ask the cat", "ask the dog", nil),
        ("call 12", "call me", nil),
    ])
    func whatDiffersIsNamed(prompt: String, cached: String, likeness: CacheExplanation.Likeness?) throws {
        #expect(try explain(prompt, cached: cached).difference?.likeness == likeness)
    }

    private static let chat = ChatPrompt(
        messages: [
            .object([("role", .string("system")), ("content", .string(" You are brief. "))]),
            .object([
                ("role", .string("user")),
                ("content", .array([.object([("type", .string("text")), ("text", .string("Where is it?"))])])),
            ]),
        ],
        tools: .array([
            .object([
                ("type", .string("function")),
                (
                    "function",
                    .object([("name", .string("search")), ("description", .string("Finds things"))])
                ),
            ]),
            .object([("type", .string("function")), ("function", .object([("name", .string("open_door"))]))]),
        ]))

    @Test func theMessageOrToolOfATokenIsFound() throws {
        let text = """
            Date: today
            Tools: {"name": "search", "description": "Finds things"} {"name": "open_door"}
            <s>You are brief.</s><u>Where is it?</u>
            """
        let tokenizer = try ByteModel.tokenizer()
        let tokens = tokenizer.encode(text, addSpecialTokens: false)
        let map = PromptMap(tokens, of: .chat(Self.chat), tokenizer: tokenizer)
        func place(_ part: String) throws -> PromptMap.Place {
            let start = try #require(text.range(of: part)?.lowerBound)
            let prefix = tokenizer.encode(String(text[..<start]), addSpecialTokens: false)
            return map.place(ofToken: prefix.count)
        }
        #expect(try place("today") == .template)
        #expect(try place("Finds") == .tool(index: 0, name: "search"))
        #expect(try place("open_door") == .tool(index: 1, name: "open_door"))
        #expect(try place("You are") == .message(index: 0, role: "system"))
        #expect(try place("brief") == .message(index: 0, role: "system"))
        #expect(try place("</s>") == .template)
        #expect(try place("is it") == .message(index: 1, role: "user"))
    }

    @Test func theLogKeepsTheLatestAndForgetsTheOldest() throws {
        let log = ExplanationLog()
        let tokenizer = try ByteModel.tokenizer()
        for number in 0..<1100 {
            log.add("\(number)", CacheReport(promptTokens: number, cachedTokens: 0), tokens: [1], prompt: .tokens([1]))
        }
        log.add("1099", CacheReport(promptTokens: 7, cachedTokens: 0), tokens: [1], prompt: .tokens([1]))
        func tokens(_ id: String) -> Int? {
            log.explanation(id, forTenant: false, tokenizer: tokenizer)?.report.promptTokens
        }
        #expect(tokens("75") == nil && tokens("76") == 76 && tokens("1099") == 7)
        let large = Array(repeating: Int32(1), count: 3 << 20)
        log.add("large", CacheReport(promptTokens: 1, cachedTokens: 0), tokens: large, prompt: .tokens([]))
        #expect(tokens("large") == 1 && tokens("1099") == nil)
    }

    @Test func aTenantIsNotToldOfAnother() throws {
        var report = CacheReport(promptTokens: 10, cachedTokens: 0)
        report.missed = [
            MissedTokens(reason: .saltDiffers, tokens: 9), MissedTokens(reason: .firstSeen, tokens: 1),
        ]
        let log = ExplanationLog()
        log.add("a", report, tokens: [1, 2], prompt: .tokens([1, 2]))
        let tokenizer = try ByteModel.tokenizer()
        let told = log.explanation("a", forTenant: true, tokenizer: tokenizer)
        #expect(told?.report.missed == [MissedTokens(reason: .firstSeen, tokens: 10)])
        #expect(log.explanation("a", forTenant: false, tokenizer: tokenizer)?.report == report)
    }
}

extension String {
    /// Foundation's, which tests do without.
    fileprivate func range(of part: String) -> Range<Index>? {
        indices.first { self[$0...].hasPrefix(part) }.map { $0..<index($0, offsetBy: part.count) }
    }
}
