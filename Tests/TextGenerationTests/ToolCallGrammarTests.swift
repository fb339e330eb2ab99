import EngineInterface
import Grammar
import OutputParsers
import TestSupport
import TextGeneration
import Testing

/// What a constraint makes a model write, the parser of the same model reads: texts are walked at random through the
/// grammar.
struct ToolCallGrammarTests {
    private static let functions = [
        Constraint.ToolCallForm.Function(
            name: "get_weather",
            schema:
                #"{"type": "object", "properties": {"city": {"enum": ["Rome", "Oslo"]}}, "required": ["city"], "additionalProperties": false}"#,
            path: "tools[0]"),
        Constraint.ToolCallForm.Function(
            name: "now", schema: #"{"type": "object", "maxProperties": 0}"#, path: "tools[1]"),
        Constraint.ToolCallForm.Function(
            name: "keep",
            schema: #"""
                {"type": "object", "additionalProperties": false, "required": ["note"], "properties": {
                "note": {"type": "string", "maxLength": 5},
                "size": {"type": ["integer", "null", "boolean"], "maximum": 99, "minimum": -9},
                "tags": {"items": {"type": "string", "maxLength": 2}, "type": "array", "maxItems": 2},
                "more": {"type": "object", "maxProperties": 1, "additionalProperties": {"type": ["string"], "maxLength": 1}}}}
                """#, texts: ["note"], path: "tools[2]"),
    ]

    private static let bytes = TokenVocabulary(size: 256, endTokens: [], specialTokens: []) { [UInt8($0)] }

    private static func engine(_ parser: ToolCallParser) throws -> (TextEngine, ScriptedEngine) {
        var assets = try ByteModel.assets(template: "{{ messages[0].content }}")
        assets.parsers.toolCalls = parser
        let scripted = ScriptedEngine(information: ByteModel.information) { _ in .init(ids: [], finish: .complete) }
        return (TextEngine(engine: scripted, assets: assets), scripted)
    }

    private static func grammar(
        _ parser: ToolCallParser, isRequired: Bool, allowsSeveral: Bool,
        functions: [Constraint.ToolCallForm.Function] = functions
    ) async throws -> CompiledGrammar {
        let (engine, scripted) = try engine(parser)
        var request = TextRequest(id: "r", prompt: .text("x"))
        request.output.functions = functions.map(\.name)
        request.output.enforcesCalls = isRequired
        request.constraint = Constraint(
            .toolCalls(.init(functions: functions, isRequired: isRequired, allowsSeveral: allowsSeveral)),
            path: "tool_choice")
        for await _ in try await engine.generate(request) {}
        return try #require(scripted.record.submissions.last?.constraint).grammar
    }

    /// A text that goes on from `beginning`, ends within 400 bytes and is grammatical; nil if it got too long.
    private static func walk(
        _ grammar: CompiledGrammar, from beginning: String, _ random: inout SeededGenerator
    ) throws -> String? {
        var text = Array(beginning.utf8)
        var matcher = grammar.makeMatcher()
        let isAccepted = matcher.accept(bytes: text)
        try #require(isAccepted, "\(beginning) is not accepted")
        var mask = TokenMask(count: ByteModel.information.vocabularySize)
        while !matcher.mustEnd, text.count < 400 {
            matcher.fill(&mask)
            var allowed = mask.allowedTokens
            if allowed.contains(ByteModel.end), Int.random(in: 0..<3, using: &random) > 0 { break }
            allowed.removeAll { $0 >= ByteModel.end }
            let id = try #require(
                allowed.randomElement(using: &random), "stuck: \(String(decoding: text, as: UTF8.self))")
            let isTaken = matcher.accept(id)
            try #require(isTaken)
            text += ByteModel.bytes(id)
        }
        return matcher.canEnd ? String(decoding: text, as: UTF8.self) : nil
    }

    private static func read(
        _ text: String, _ parser: ToolCallParser
    ) -> (content: String, calls: [(name: String, arguments: String)]) {
        let texts = Dictionary(uniqueKeysWithValues: functions.map { ($0.name, $0.texts) })
        var reader = OutputParser(
            .init(toolCalls: parser, functions: Set(functions.map(\.name)), texts: texts), prompt: "")
        var calls: [(name: String, arguments: String)] = []
        var content = ""
        for piece in reader.append(text) + reader.finish() {
            switch piece {
            case .call(_, let name, _): calls.append((name, ""))
            case .arguments(let index, let text): calls[index].arguments += text
            case .content(let text): content += text
            case .reasoning: Issue.record("reasoning in \(text)")
            }
        }
        return (content, calls)
    }

    private static func followsItsSchema(_ call: (name: String, arguments: String)) throws -> Bool {
        let function = try #require(functions.first { $0.name == call.name })
        let ir = try JSONSchemaCompiler.compile(json: Array((function.schema ?? "{}").utf8), options: .verdict)
        var matcher = try CompiledGrammar(ir, vocabulary: bytes).makeMatcher()
        return matcher.accept(bytes: Array(call.arguments.utf8)) && matcher.canEnd
    }

    @Test(arguments: ToolCallParser.allCases)
    func enforcedCallsAreRead(parser: ToolCallParser) async throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        for severalCalls in [false, true] {
            let grammar = try await Self.grammar(parser, isRequired: true, allowsSeveral: severalCalls)
            var finished = 0
            for _ in 0..<40 {
                guard let text = try Self.walk(grammar, from: "", &random) else { continue }
                finished += 1
                let (content, calls) = Self.read(text, parser)
                // Harmony lets a model think before it calls; without a reasoning parser that is content.
                if parser != .gptOSS { #expect(content.isEmpty, "seed \(seed): \(text)") }
                #expect(calls.count == 1 || (severalCalls && calls.count > 1), "seed \(seed): \(text)")
                for call in calls {
                    #expect(try Self.followsItsSchema(call), "seed \(seed): \(text)\n\(call)")
                }
            }
            #expect(finished > 0, "seed \(seed)")
        }
    }

    /// Text, or calls that are right once they have begun.
    @Test(arguments: ToolCallParser.allCases)
    func callsWithinTextAreHeldToTheirSchema(parser: ToolCallParser) async throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        let beginning =
            switch parser {
            case .llama3: "{\"name\": \""
            case .pythonic: "[keep("
            case .gptOSS: "<|channel|>commentary to=functions."
            default: "Let me see.\n" + (parser.opening ?? "")
            }
        for severalCalls in [false, true] {
            let grammar = try await Self.grammar(parser, isRequired: false, allowsSeveral: severalCalls)
            for text in ["", "The answer is 4."] where parser != .gptOSS {
                var matcher = grammar.makeMatcher()
                #expect(matcher.accept(bytes: Array(text.utf8)) && matcher.canEnd)
            }
            var finished = 0
            for _ in 0..<40 {
                guard let text = try Self.walk(grammar, from: beginning, &random) else { continue }
                finished += 1
                let (content, calls) = Self.read(text, parser)
                #expect(content == (beginning.hasPrefix("Let") ? "Let me see." : ""), "seed \(seed): \(text)")
                #expect(calls.count == 1 || (severalCalls && calls.count > 1), "seed \(seed): \(text)")
                for call in calls {
                    #expect(try Self.followsItsSchema(call), "seed \(seed): \(text)\n\(call)")
                }
            }
            #expect(finished > 0, "seed \(seed)")
        }
    }

    @Test func thoughtsAndAnswersOfHarmonyAreMessages() async throws {
        var assets = try ByteModel.assets(template: "{{ messages[0].content }}")
        assets.parsers = AnswerParsers(reasoning: .gptOSS, toolCalls: .gptOSS)
        let scripted = ScriptedEngine(information: ByteModel.information) { _ in .init(ids: [], finish: .complete) }
        var request = TextRequest(id: "r", prompt: .text("x"))
        request.output.mayReason = true
        request.constraint = Constraint(
            .either(
                .jsonSchema(#"{"type": "integer"}"#),
                .toolCalls(.init(functions: Self.functions, isRequired: true, allowsSeveral: false))), path: "")
        for await _ in try await TextEngine(engine: scripted, assets: assets).generate(request) {}
        let grammar = try #require(scripted.record.submissions.last?.constraint).grammar
        for (text, isRight) in [
            ("<|channel|>final<|message|>12", true),
            ("<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>12", true),
            ("<|channel|>commentary to=functions.now <|constrain|>json<|message|>{}", true),
            (" to=functions.now<|channel|>commentary <|constrain|>json<|message|>{}", true),
            ("<|channel|>final<|message|>twelve", false), ("12", false),
            ("<|channel|>commentary to=functions.other <|constrain|>json<|message|>{}", false),
        ] {
            var matcher = grammar.makeMatcher()
            #expect((matcher.accept(bytes: Array(text.utf8)) && matcher.canEnd) == isRight, "\(text)")
        }
    }

    /// What a format cannot write is refused, or left out where it is optional.
    @Test(arguments: [ToolCallParser.pythonic, .qwen3Coder, .glm45])
    func whatAFormatCannotWriteIsNotAskedFor(parser: ToolCallParser) async throws {
        func function(_ name: String, _ schema: String) -> Constraint.ToolCallForm.Function {
            .init(name: name, schema: schema, path: "tools[0]")
        }
        let required = #"{"type": "object", "properties": {"a>b": {}}, "required": ["a>b"]}"#
        for function in [function("f(x", "{}"), function("f", required)] {
            await #expect(throws: TextGenerationError.self) {
                _ = try await Self.grammar(parser, isRequired: true, allowsSeveral: false, functions: [function])
            }
        }
        let optional = function(
            "f", #"{"type": "object", "properties": {"a>b": {}}, "additionalProperties": false}"#)
        let grammar = try await Self.grammar(parser, isRequired: true, allowsSeveral: false, functions: [optional])
        var random = SeededGenerator(seed: 1)
        let text = try #require(try Self.walk(grammar, from: "", &random))
        #expect(!text.contains("a>b"))
    }

    @Test func aWrongConstraintNamesItsPlace() async throws {
        let scripted = ScriptedEngine(information: ByteModel.information) { _ in .init(ids: []) }
        let engine = TextEngine(engine: scripted, assets: try ByteModel.assets())
        for (form, part) in [
            (Constraint.Form.regex("(a"), "regular expression"), (.ebnf("root ::= x"), "line 1"),
            (.jsonSchema(#"{"properties": {"a": {"type": "thing"}}}"#), "#/properties/a"),
        ] {
            var request = TextRequest(id: "r", prompt: .text("x"))
            request.constraint = Constraint(form, path: "here")
            do {
                _ = try await engine.generate(request)
                Issue.record("\(form) was taken")
            } catch {
                guard case .constraint(path: "here", let message) = error else {
                    Issue.record("\(error)")
                    continue
                }
                #expect(message.contains(part), "\(message)")
            }
        }
        #expect(scripted.record.submissions.isEmpty)
    }
}
