import EngineInterface
import Server
import TestSupport
import Testing
import TextGeneration
import WireTypes

/// `POST /v1/responses` and what is remembered of it.
struct ResponsesTests {
    private static let answer: @Sendable (GenerationRequest) -> ScriptedEngine.Script = { _ in
        .init(ids: TinyModel.ids("Hello") + [TinyModel.end], finish: .stopToken(TinyModel.end), cachedTokens: 2)
    }

    @Test func aTextBecomesAResponse() async throws {
        try await TestServer.run(script: Self.answer) { (server) async throws in
            let json = try await server.post(
                "/v1/responses",
                #"{"model":"tiny","input":"Hi","instructions":"Be kind.","max_output_tokens":20,"metadata":{"a":"b"}}"#
            ).json()
            #expect(json["object"]?.string == "response" && json["status"]?.string == "completed")
            #expect(json["id"]?.string?.hasPrefix("resp_") == true)
            #expect(json["instructions"]?.string == "Be kind.")
            #expect(json["metadata"]?["a"]?.string == "b")
            let item = try #require(json["output"]?[0])
            #expect(item["type"]?.string == "message" && item["role"]?.string == "assistant")
            #expect(item["content"]?[0]?["type"]?.string == "output_text")
            #expect(item["content"]?[0]?["text"]?.string == "Hello")
            #expect(json["usage"]?["input_tokens_details"]?["cached_tokens"]?.int == 2)
            #expect(json["usage"]?["output_tokens"]?.int == 6)
            let prompt = TinyModel.text(server.engine.record.submissions[0].prompt)
            #expect(prompt.hasPrefix("<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>"))
        }
    }

    @Test func theEventsAreThoseOfOpenAI() async throws {
        try await TestServer.run(script: Self.answer) { (server) async throws in
            let response = try await server.post("/v1/responses", #"{"input":"Hi","stream":true}"#)
            let events = try response.events()
            let types = events.compactMap { $0["type"]?.string }
            var order: [String] = []
            for type in types where order.last != type { order.append(type) }
            #expect(
                order == [
                    "response.created", "response.in_progress", "response.output_item.added",
                    "response.content_part.added", "response.output_text.delta", "response.output_text.done",
                    "response.content_part.done", "response.output_item.done", "response.completed",
                ])
            #expect(events.compactMap { $0["sequence_number"]?.int } == Array(events.indices))
            #expect(events.compactMap { $0["delta"]?.string }.joined() == "Hello")
            #expect(events.last?["response"]?["output"]?[0]?["content"]?[0]?["text"]?.string == "Hello")
            #expect(events.last?["response"]?["usage"]?["output_tokens"]?.int == 6)
            // Every event has its type also where browsers look for it, and nothing else ends the stream.
            #expect(response.text.contains("event: response.created\ndata: {"))
            #expect(!response.text.contains("[DONE]"))
        }
    }

    @Test func aConversationGoesOnFromAStoredResponse() async throws {
        try await TestServer.run(script: Self.answer) { (server) async throws in
            let first = try await server.post("/v1/responses", #"{"input":"one","instructions":"S"}"#).json()
            let id = try #require(first["id"]?.string)
            let second = try await server.post(
                "/v1/responses", #"{"input":"two","previous_response_id":"\#(id)"}"#
            ).json()
            #expect(second["previous_response_id"]?.string == id)
            // Instructions are not carried over; the conversation is.
            #expect(
                TinyModel.text(server.engine.record.submissions[1].prompt) == """
                    <|im_start|>user
                    one<|im_end|>
                    <|im_start|>assistant
                    Hello<|im_end|>
                    <|im_start|>user
                    two<|im_end|>
                    <|im_start|>assistant

                    """)
            #expect(try await server.get("/v1/responses/\(id)").json() == first)
            let items = try await server.get("/v1/responses/\(id)/input_items").json()
            #expect(items["data"]?[0]?["content"]?[0]?["text"]?.string == "one")
            #expect(try await server.send("DELETE", "/v1/responses/\(id)").json()["deleted"] == .bool(true))
            #expect(try await server.get("/v1/responses/\(id)").status == 404)
            #expect(try await server.send("DELETE", "/v1/responses/\(id)").status == 404)
            let lost = try await server.post("/v1/responses", #"{"input":"x","previous_response_id":"\#(id)"}"#)
            #expect(lost.status == 400)
            #expect(try lost.json()["error"]?["param"]?.string == "previous_response_id")
        }
    }

    @Test func whatIsNotToBeStoredIsNot() async throws {
        try await TestServer.run(script: Self.answer) { (server) async throws in
            let json = try await server.post("/v1/responses", #"{"input":"x","store":false}"#).json()
            let id = try #require(json["id"]?.string)
            #expect(try await server.get("/v1/responses/\(id)").status == 404)
        }
    }

    @Test func aCutAnswerIsIncomplete() async throws {
        try await TestServer.run(script: Self.answer) { (server) async throws in
            let json = try await server.post("/v1/responses", #"{"input":"x","max_output_tokens":2}"#).json()
            #expect(json["status"]?.string == "incomplete")
            #expect(json["incomplete_details"]?["reason"]?.string == "max_output_tokens")
            #expect(json["output"]?[0]?["status"]?.string == "incomplete")
        }
    }

    @Test func itemsOfOneTurnAreOneMessage() async throws {
        let body = #"""
            {"input":[{"role":"user","content":[{"type":"input_text","text":"a"}]},
             {"type":"reasoning","summary":[],"content":[{"type":"reasoning_text","text":"r"}]},
             {"type":"message","role":"assistant","content":[{"type":"output_text","text":"b"}]},
             {"type":"function_call","call_id":"c1","name":"f","arguments":"{\"x\":1}"},
             {"type":"function_call","call_id":"c2","name":"g","arguments":"{}"},
             {"type":"function_call_output","call_id":"c1","output":"3"}]}
            """#
        let request = try ResponsesRequest(JSONParser.parse(Array(body.utf8)))
        let messages = try request.chat(after: []).messages.map(\.object)
        #expect(messages.map { $0["role"] } == [.string("user"), .string("assistant"), .string("tool")])
        guard case .array(let calls)? = messages[1]["tool_calls"] else {
            Issue.record("no calls")
            return
        }
        #expect(calls.count == 2)
        #expect(messages[1]["reasoning_content"] == .string("r"))
        #expect(messages[2]["tool_call_id"] == .string("c1"))
    }

    @Test func onlyAllowedToolsMayBeCalled() async throws {
        try await TestServer.run(contextLength: 4096) { (server) async throws in
            let tools = #"[{"type":"function","name":"f"},{"type":"function","name":"g"}]"#
            let choice = #"{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"g"}]}"#
            let response = try await server.post(
                "/v1/responses", #"{"input":"x","tools":\#(tools),"tool_choice":\#(choice)}"#)
            #expect(response.status == 200, "\(response.text)")
            #expect(server.engine.record.submissions.last?.constraint != nil)
        }
    }

    @Test func mistakesAreNamed() async throws {
        try await TestServer.run { (server) async throws in
            for (body, parameter) in [
                (#"{}"#, "input"), (#"{"input":[]}"#, "input"), (#"{"input":7}"#, "input"),
                (#"{"input":"x","background":true}"#, "background"),
                (#"{"input":"x","tools":[{"type":"web_search"}]}"#, "tools[0].type"),
                (#"{"input":[{"role":"user","content":[{"type":"input_image"}]}]}"#, "input[0].content[0].type"),
                (#"{"input":"x","max_output_tokens":0}"#, "max_output_tokens"),
                (#"{"input":"x","temperature":-1}"#, "temperature"),
                (#"{"input":"x","top_logprobs":2}"#, "top_logprobs"),
                (#"{"input":"x","include":["message.output_text.logprobs"]}"#, "include"),
            ] {
                let response = try await server.post("/v1/responses", body)
                #expect(response.status == 400, "\(body)")
                #expect(try response.json()["error"]?["param"]?.string == parameter, "\(body)")
            }
            #expect(server.engine.record.submissions.isEmpty)
        }
    }
}
