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
    ]

    @Test(arguments: ToolCallParser.allCases)
    func enforcedCallsAreRead(parser: ToolCallParser) async throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        var assets = try ByteModel.assets(template: "{{ messages[0].content }}")
        assets.parsers.toolCalls = parser
        let scripted = ScriptedEngine(information: ByteModel.information) { _ in .init(ids: [], finish: .complete) }
        let engine = TextEngine(engine: scripted, assets: assets)
        for severalCalls in [false, true] {
            var request = TextRequest(id: "r\(severalCalls)", prompt: .text("x"))
            request.output.functions = Self.functions.map(\.name)
            request.output.enforcesCalls = true
            request.constraint = Constraint(
                .toolCalls(.init(functions: Self.functions, isRequired: true, allowsSeveral: severalCalls)),
                path: "tool_choice")
            for await _ in try await engine.generate(request) {}
            let constraint = try #require(scripted.record.submissions.last?.constraint)
            for _ in 0..<6 {
                var text: [UInt8] = []
                var matcher = constraint.grammar.makeMatcher()
                var mask = TokenMask(count: ByteModel.information.vocabularySize)
                while !matcher.mustEnd, text.count < 300 {
                    matcher.fill(&mask)
                    var allowed = mask.allowedTokens
                    if allowed.contains(ByteModel.end), Int.random(in: 0..<3, using: &random) > 0 { break }
                    allowed.removeAll { $0 >= ByteModel.end }
                    guard let id = allowed.randomElement(using: &random), matcher.accept(id) else {
                        Issue.record("seed \(seed): stuck after \(String(decoding: text, as: UTF8.self))")
                        return
                    }
                    text += ByteModel.bytes(id)
                }
                // Harmony's thoughts may be of any length.
                if !matcher.canEnd { continue }
                let whole = String(decoding: text, as: UTF8.self)
                var reader = OutputParser(
                    .init(
                        toolCalls: parser == .pythonic ? .llama3 : parser, functions: Set(Self.functions.map(\.name))),
                    prompt: "")
                var calls: [(name: String, arguments: String)] = []
                var content = ""
                for piece in reader.append(whole) + reader.finish() {
                    switch piece {
                    case .call(_, let name, _): calls.append((name, ""))
                    case .arguments(let index, let text): calls[index].arguments += text
                    case .content(let text): content += text
                    case .reasoning: Issue.record("reasoning in \(whole)")
                    }
                }
                // Harmony lets a model think before it calls; without a reasoning parser that is content.
                if parser != .gptOSS { #expect(content.isEmpty, "seed \(seed): \(whole)") }
                #expect(calls.count == 1 || (severalCalls && calls.count > 1), "seed \(seed): \(whole)")
                for call in calls {
                    let wanted = call.name == "now" ? ["{}"] : [#"{"city":"Rome"}"#, #"{"city":"Oslo"}"#]
                    #expect(wanted.contains(call.arguments), "seed \(seed): \(whole)")
                }
            }
        }
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
