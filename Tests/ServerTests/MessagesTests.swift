import EngineInterface
import Server
import TestSupport
import Testing
import WireTypes

/// Anthropic's `POST /v1/messages`.
struct MessagesTests {
    private static let answer: @Sendable (GenerationRequest) -> ScriptedEngine.Script = { _ in
        .init(ids: TinyModel.ids("Hello") + [TinyModel.end], finish: .stopToken(TinyModel.end), cachedTokens: 3)
    }

    @Test func aMessageIsAnswered() async throws {
        try await TestServer.run(script: Self.answer) { (server) async throws in
            let json = try await server.post(
                "/v1/messages",
                #"""
                {"model":"tiny","max_tokens":20,"system":[{"type":"text","text":"S","cache_control":{"type":"ephemeral"}}],
                 "messages":[{"role":"user","content":[{"type":"text","text":"Hi","cache_control":{"type":"ephemeral"}}]}]}
                """#
            ).json()
            #expect(json["type"]?.string == "message" && json["role"]?.string == "assistant")
            #expect(json["content"]?[0]?["text"]?.string == "Hello")
            #expect(json["stop_reason"]?.string == "end_turn" && json["stop_sequence"] == .null)
            let count = server.engine.record.submissions[0].prompt.count
            #expect(json["usage"]?["input_tokens"]?.int == count - 3)
            #expect(json["usage"]?["cache_read_input_tokens"]?.int == 3)
            #expect(json["usage"]?["output_tokens"]?.int == 6)
            #expect(TinyModel.text(server.engine.record.submissions[0].prompt).hasPrefix("<|im_start|>system\nS"))
        }
    }

    /// Each `cache_control` is a pin of the prompt up to where it stands, for as long as it says.
    @Test func cacheControlKeepsThePromptUpToItsBlock() async throws {
        try await TestServer.run(script: Self.answer) { (server) async throws in
            let response = try await server.post(
                "/v1/messages",
                #"""
                {"max_tokens":20,
                 "system":[{"type":"text","text":" Rules"},
                           {"type":"text","text":"Facts","cache_control":{"type":"ephemeral","ttl":"1h"}}],
                 "messages":[{"role":"user","content":[
                    {"type":"text","text":"Document","cache_control":{"type":"ephemeral"}},
                    {"type":"text","text":"Question"}]},
                   {"role":"assistant","content":"Answer"},
                   {"role":"user","content":[{"type":"text","text":"Next","cache_control":{"type":"ephemeral"}}]}]}
                """#)
            #expect(response.status == 200)
            let request = try #require(server.engine.record.submissions.first)
            #expect(request.pins.map(\.timeToLive) == [3600, 300, 300])
            #expect(request.pins.allSatisfy(\.yields) && Set(request.pins.map(\.id)).count == 3)
            let kept = request.pins.map { TinyModel.text(Array(request.prompt.prefix($0.tokens ?? 0))) }
            try #require(kept.count == 3)
            #expect(kept[0].hasSuffix("Rules\nFacts<|im_end|>\n<|im_start|>user\n"))
            #expect(kept[1].hasSuffix("Document"))
            #expect(kept[2] == TinyModel.text(request.prompt))
        }
    }

    @Test func cacheControlIsChecked() async throws {
        try await TestServer.run(script: Self.answer) { (server) async throws in
            for (control, parameter) in [
                (#"{"type":"persistent"}"#, "cache_control.type"), ("{}", "cache_control.type"),
                (#"{"type":"ephemeral","ttl":"2h"}"#, "cache_control.ttl"),
            ] {
                let block = #"{"type":"text","text":"a","cache_control":\#(control)}"#
                let answer = try await server.post(
                    "/v1/messages", #"{"max_tokens":2,"messages":[{"role":"user","content":[\#(block)]}]}"#)
                #expect(answer.status == 400)
                #expect(answer.text.contains("messages[0].content[0].\(parameter)"), "\(answer.text)")
            }
            let block = #"{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}"#
            let five = Array(repeating: block, count: 5).joined(separator: ",")
            let answer = try await server.post(
                "/v1/messages", #"{"max_tokens":2,"messages":[{"role":"user","content":[\#(five)]}]}"#)
            #expect(answer.status == 400 && answer.text.contains("at most 4"))
        }
    }

    @Test func eventsComeInAnthropicsOrder() async throws {
        try await TestServer.run(script: Self.answer) { (server) async throws in
            let response = try await server.post(
                "/v1/messages",
                #"{"model":"tiny","max_tokens":20,"stream":true,"messages":[{"role":"user","content":"Hi"}]}"#)
            let events = try response.events()
            var order: [String] = []
            for event in events { if let type = event["type"]?.string, order.last != type { order.append(type) } }
            #expect(
                order == [
                    "message_start", "content_block_start", "content_block_delta", "content_block_stop",
                    "message_delta",
                    "message_stop",
                ])
            try #require(events.count > 5)
            #expect(events[0]["message"]?["usage"]?["cache_read_input_tokens"]?.int == 3)
            #expect(events.compactMap { $0["delta"]?["text"]?.string }.joined() == "Hello")
            #expect(events[events.count - 2]["delta"]?["stop_reason"]?.string == "end_turn")
            #expect(events[events.count - 2]["usage"]?["output_tokens"]?.int == 6)
            #expect(response.text.contains("event: message_stop\n"))
        }
    }

    @Test func stopsAndLimitsHaveAnthropicsNames() async throws {
        try await TestServer.run(script: Self.answer) { (server) async throws in
            let body = #""messages":[{"role":"user","content":"Hi"}]"#
            let stopped = try await server.post("/v1/messages", #"{"max_tokens":20,"stop_sequences":["l"],\#(body)}"#)
            #expect(try stopped.json()["stop_reason"]?.string == "stop_sequence")
            #expect(try stopped.json()["stop_sequence"]?.string == "l")
            let cut = try await server.post("/v1/messages", #"{"max_tokens":2,\#(body)}"#).json()
            #expect(cut["stop_reason"]?.string == "max_tokens")
        }
    }

    @Test func tokensAreCountedWithoutGenerating() async throws {
        try await TestServer.run { (server) async throws in
            let json = try await server.post(
                "/v1/messages/count_tokens", #"{"model":"tiny","messages":[{"role":"user","content":"Hi"}]}"#
            ).json()
            #expect((json["input_tokens"]?.int ?? 0) > 2)
            #expect(server.engine.record.submissions.isEmpty)
        }
    }

    @Test func errorsHaveAnthropicsForm() async throws {
        try await TestServer.run(configure: { $0.apiKey = "k" }) { (server) async throws in
            let body = #"{"messages":[{"role":"user","content":"Hi"}]}"#
            let unknown = try await server.post("/v1/messages", body)
            #expect(unknown.status == 401)
            #expect(try unknown.json()["type"]?.string == "error")
            let wrong = try await server.post("/v1/messages", body, headers: [("x-api-key", "k")])
            #expect(wrong.status == 400)
            #expect(try wrong.json()["error"]?["param"]?.string == "max_tokens")
            #expect(try wrong.json()["error"]?["type"]?.string == "invalid_request_error")
            // Anthropic's clients look for the id in a header of their own.
            let missing = try await server.post(
                "/v1/messages", #"{"model":"no","max_tokens":1,"messages":[{"role":"user","content":"Hi"}]}"#,
                headers: [("x-api-key", "k"), ("x-request-id", "mine")])
            #expect(missing.status == 404 && missing.headers["request-id"] == "mine")
            #expect(try missing.json()["error"]?["type"]?.string == "not_found_error")
            #expect(try missing.json()["request_id"]?.string == "mine")
        }
    }

    @Test func theAnswerFollowsASchema() async throws {
        try await TestServer.run(contextLength: 4096, script: Self.answer) { (server) async throws in
            let format = #"{"type":"json_schema","schema":{"type":"object","properties":{"a":{"type":"boolean"}}}}"#
            for field in [#""output_config":{"format":\#(format)}"#, #""output_format":\#(format)"#] {
                let response = try await server.post(
                    "/v1/messages", #"{"max_tokens":20,"messages":[{"role":"user","content":"Hi"}],\#(field)}"#)
                #expect(response.status == 200, "\(response.text)")
                #expect(server.engine.record.submissions.last?.constraint != nil)
            }
            let wrong = try await server.post(
                "/v1/messages",
                #"{"max_tokens":2,"messages":[{"role":"user","content":"Hi"}],"output_config":{"format":{"type":"x"}}}"#
            )
            #expect(try wrong.json()["error"]?["param"]?.string == "output_config.format.type")
        }
    }

    @Test func blocksBecomeMessages() throws {
        let body = #"""
            {"max_tokens":5,"messages":[{"role":"user","content":"q"},
             {"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":""},{"type":"text","text":"a"},
               {"type":"tool_use","id":"u1","name":"f","input":{"x":1}}]},
             {"role":"user","content":[{"type":"tool_result","tool_use_id":"u1","content":[{"type":"text","text":"3"}]},
               {"type":"text","text":"and?"}]},
             {"role":"assistant","content":"It"}]}
            """#
        let chat = try MessagesRequest(JSONParser.parse(Array(body.utf8))).chat
        #expect(
            chat.messages.map { $0.object["role"] }
                == ["user", "assistant", "tool", "user", "assistant"].map { .string($0) })
        #expect(chat.messages[1].object["reasoning_content"] == .string("t"))
        #expect(chat.messages[2].object["content"] == .string("3"))
        #expect(chat.continueFinalMessage && !chat.addGenerationPrompt)
        for (wrong, path) in [
            (
                #"{"max_tokens":5,"messages":[{"role":"user","content":[{"type":"image"}]}]}"#,
                "messages[0].content[0].type"
            ),
            (#"{"max_tokens":5,"messages":[{"role":"x","content":"a"}]}"#, "messages[0].role"),
            (#"{"max_tokens":5}"#, "messages"),
        ] {
            let error = #expect(throws: FieldError.self) {
                try MessagesRequest(JSONParser.parse(Array(wrong.utf8)))
            }
            #expect(error?.path == path)
        }
    }
}
