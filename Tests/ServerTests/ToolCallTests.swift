import EngineInterface
import TestSupport
import Testing
import TextGeneration
import WireTypes

/// Tools, reasoning and calls on the wire, as OpenAI's clients read them.
struct ToolCallTests {
    private static let tools = """
        "tools":[{"type":"function","function":{"name":"add","description":"Adds.","parameters":{"type":"object",\
        "properties":{"a":{"type":"integer"}}}}},{"type":"function","function":{"name":"now"}}]
        """
    private static let user = #"{"role":"user","content":"1 + 1?"}"#
    private static let answer = """
        <think>
        A sum.
        </think>

        Let me add.
        <tool_call>
        {"name": "add", "arguments": {"a": 1, "b": "ü"}}
        </tool_call>
        <tool_call>
        {"name": "now", "arguments": {}}
        </tool_call>
        """

    private static func parsers() throws -> AnswerParsers {
        try AnswerParsers(reasoning: "qwen3", toolCalls: "hermes", template: nil)
    }

    private static func script(
        _ text: String, pace: ScriptedEngine.Script.Pace = .immediate
    ) -> @Sendable (GenerationRequest) -> ScriptedEngine.Script {
        { _ in
            .init(ids: TinyModel.ids(text) + [TinyModel.end], finish: .stopToken(TinyModel.end), pace: pace)
        }
    }

    @Test func aWholeAnswerHasReasoningContentAndCalls() async throws {
        try await TestServer.run(
            parsers: try Self.parsers(), contextLength: 4096, script: Self.script(Self.answer)
        ) { (server) async throws in
            let response = try await server.post(
                "/v1/chat/completions", #"{"messages":[\#(Self.user)],\#(Self.tools)}"#)
            let json = try response.json()
            let choice = try #require(json["choices"]?[0])
            let message = try #require(choice["message"])
            #expect(choice["finish_reason"]?.string == "tool_calls")
            #expect(message["content"]?.string == "Let me add.")
            #expect(message["reasoning_content"]?.string == "A sum.")
            let calls = try #require(message["tool_calls"])
            #expect(calls[0]?["type"]?.string == "function")
            #expect(calls[0]?["function"]?["name"]?.string == "add")
            #expect(calls[0]?["function"]?["arguments"]?.string == #"{"a": 1, "b": "ü"}"#)
            #expect(calls[0]?["index"] == nil)
            #expect(calls[1]?["function"]?["name"]?.string == "now")
            #expect(calls[1]?["function"]?["arguments"]?.string == "{}")
            let ids = [calls[0]?["id"]?.string, calls[1]?["id"]?.string].compactMap { $0 }
            #expect(Set(ids).count == 2)
            #expect(ids.allSatisfy { $0.hasPrefix("call_") && $0.utf8.count == 29 })
            let reasoning = try #require(json["usage"]?["completion_tokens_details"]?["reasoning_tokens"]?.int)
            #expect((14...26).contains(reasoning))
        }
    }

    @Test func aStreamTellsTheSamePieceByPiece() async throws {
        for pace in [ScriptedEngine.Script.Pace.immediate, .every(.milliseconds(1))] {
            try await TestServer.run(
                parsers: try Self.parsers(), contextLength: 4096, script: Self.script(Self.answer, pace: pace)
            ) { (server) async throws in
                let response = try await server.post(
                    "/v1/chat/completions", #"{"messages":[\#(Self.user)],\#(Self.tools),"stream":true}"#)
                let deltas = try response.events().compactMap { $0["choices"]?[0]?["delta"] }
                #expect(deltas.compactMap { $0["content"]?.string }.joined() == "Let me add.")
                #expect(deltas.compactMap { $0["reasoning_content"]?.string }.joined() == "A sum.")
                var names: [Int: String] = [:]
                var arguments: [Int: String] = [:]
                for delta in deltas {
                    var position = 0
                    while let call = delta["tool_calls"]?[position] {
                        position += 1
                        let index = try #require(call["index"]?.int)
                        if let name = call["function"]?["name"]?.string {
                            // Name, id and type come once, before any arguments.
                            #expect(names[index] == nil && arguments[index] == nil)
                            #expect(call["id"]?.string?.hasPrefix("call_") == true)
                            #expect(call["type"]?.string == "function")
                            names[index] = name
                        } else {
                            #expect(call["id"] == nil && call["type"] == nil)
                        }
                        arguments[index, default: ""] += try #require(call["function"]?["arguments"]?.string)
                    }
                }
                #expect(names == [0: "add", 1: "now"])
                #expect(arguments == [0: #"{"a": 1, "b": "ü"}"#, 1: "{}"])
                let finishes = try response.events().compactMap { $0["choices"]?[0]?["finish_reason"]?.string }
                #expect(finishes == ["tool_calls"])
            }
        }
    }

    @Test func withoutToolsOrParsersAllTextIsContent() async throws {
        try await TestServer.run(
            parsers: try Self.parsers(), contextLength: 4096, script: Self.script(Self.answer)
        ) { (server) async throws in
            for body in [
                #"{"messages":[\#(Self.user)],"separate_reasoning":false}"#,
                #"{"messages":[\#(Self.user)],"separate_reasoning":false,\#(Self.tools),"tool_choice":"none"}"#,
            ] {
                let choice = try await server.post("/v1/chat/completions", body).json()["choices"]?[0]
                #expect(choice?["message"]?["content"]?.string == Self.answer)
                #expect(choice?["message"]?["reasoning_content"] == .null)
                #expect(choice?["finish_reason"]?.string == "stop")
            }
        }
    }

    /// ChatML's template knows no tools: they are described to the model in the system message, and the history of
    /// calls is written as the model would have written it.
    @Test func toolsAndTheirHistoryReachTheModel() async throws {
        try await TestServer.run(contextLength: 4096, script: Self.script("Two.")) { (server) async throws in
            let history = """
                {"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":\
                {"name":"add","arguments":"{\\"a\\": 1}"}}]},{"role":"tool","tool_call_id":"call_1","content":"2"}
                """
            let response = try await server.post(
                "/v1/chat/completions", #"{"messages":[\#(Self.user),\#(history)],\#(Self.tools)}"#)
            #expect(response.status == 200)
            let prompt = TinyModel.text(try #require(server.engine.record.submissions.first).prompt)
            #expect(prompt.hasPrefix("<|im_start|>system\n# Tools\n"))
            #expect(prompt.contains(#""name": "add", "description": "Adds.""#))
            #expect(
                prompt.contains(
                    "<|im_start|>assistant\n<tool_call>\n{\"name\": \"add\", \"arguments\": {\"a\": 1}}\n</tool_call>"))
            #expect(prompt.contains("<|im_start|>user\n<tool_response>\n2\n</tool_response><|im_end|>"))
        }
    }

    @Test func aTemplateThatKnowsToolsGetsThem() async throws {
        let template = "{% for tool in tools %}[{{ tool.function.name }}]{% endfor %}{{ messages[0].content }}"
        try await TestServer.run(template: template, script: Self.script("Two.")) { (server) async throws in
            _ = try await server.post("/v1/chat/completions", #"{"messages":[\#(Self.user)],\#(Self.tools)}"#)
            #expect(TinyModel.text(server.engine.record.submissions[0].prompt) == "[add][now]1 + 1?")
        }
    }

    /// The others stay in the prompt: what is cached of it fits whatever is allowed.
    @Test func onlyAllowedToolsMayBeCalled() async throws {
        try await TestServer.run(
            parsers: try Self.parsers(), contextLength: 4096, script: Self.script("{}")
        ) { (server) async throws in
            func body(_ mode: String, _ name: String) -> String {
                let list = #"[{"type":"function","function":{"name":"\#(name)"}}]"#
                let choice = #"{"type":"allowed_tools","allowed_tools":{"mode":"\#(mode)","tools":\#(list)}}"#
                return #"{"messages":[\#(Self.user)],\#(Self.tools),"tool_choice":\#(choice)}"#
            }
            for mode in ["auto", "required"] {
                _ = try await server.post("/v1/chat/completions", body(mode, "now"))
                let request = try #require(server.engine.record.submissions.last)
                #expect(request.constraint != nil, "\(mode)")
                #expect(TinyModel.text(request.prompt).contains(#""name": "add""#))
            }
            for (wrong, parameter) in [
                (body("auto", "other"), "tool_choice.allowed_tools.tools[0].function.name"),
                (body("never", "now"), "tool_choice.allowed_tools.mode"),
            ] {
                let response = try await server.post("/v1/chat/completions", wrong)
                #expect(response.status == 400)
                #expect(try response.json()["error"]?["param"]?.string == parameter)
            }
        }
    }

    @Test func optionsOfConstraintsCountForCallsToo() async throws {
        try await TestServer.run(
            parsers: try Self.parsers(), contextLength: 4096, script: Self.script("{}")
        ) { (server) async throws in
            let options = #""constraint_options":{"close_in_budget":true,"jump_forward":false}"#
            _ = try await server.post(
                "/v1/chat/completions",
                #"{"messages":[\#(Self.user)],\#(Self.tools),"tool_choice":"required",\#(options)}"#)
            let constraint = try #require(server.engine.record.submissions.first?.constraint)
            #expect(constraint.closesInTime && !constraint.jumpsForward)
        }
    }
}
