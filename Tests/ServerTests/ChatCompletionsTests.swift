import EngineInterface
import TestSupport
import Testing
import WireTypes

struct ChatCompletionsTests {
    private static let messages = #""messages":[{"role":"user","content":"hey"}]"#

    @Test func answersInOnePiece() async throws {
        let script: @Sendable (GenerationRequest) -> ScriptedEngine.Script = { _ in
            .init(ids: TinyModel.ids("Hello") + [TinyModel.end], finish: .stopToken(TinyModel.end), cachedTokens: 7)
        }
        try await TestServer.run(script: script) { (server) async throws in
            let response = try await server.post(
                "/v1/chat/completions", #"{"model":"tiny",\#(Self.messages),"temperature":0}"#)
            #expect(response.status == 200)
            #expect(response.headers["content-type"] == "application/json")
            let json = try response.json()
            #expect(json["object"]?.string == "chat.completion")
            #expect(json["id"]?.string?.hasPrefix("chatcmpl-") == true)
            #expect(json["model"]?.string == "tiny")
            #expect((json["created"]?.int ?? 0) > 1_600_000_000)
            let choice = json["choices"]?[0]
            #expect(choice?["message"]?["role"]?.string == "assistant")
            #expect(choice?["message"]?["content"]?.string == "Hello")
            #expect(choice?["finish_reason"]?.string == "stop")
            #expect(choice?["matched_stop"]?.int == 257)
            let prompt = "<|im_start|>user\nhey<|im_end|>\n<|im_start|>assistant\n"
            let submitted = try #require(server.engine.record.submissions.first)
            #expect(TinyModel.text(submitted.prompt) == prompt)
            #expect(submitted.sampling.temperature == 0)
            #expect(submitted.sampling.maxTokens == nil)
            #expect(json["usage"]?["prompt_tokens"]?.int == submitted.prompt.count)
            #expect(json["usage"]?["completion_tokens"]?.int == 6)
            #expect(json["usage"]?["total_tokens"]?.int == submitted.prompt.count + 6)
            #expect(json["usage"]?["prompt_tokens_details"]?["cached_tokens"]?.int == 7)
        }
    }

    @Test func streamsRoleTextFinishUsageDone() async throws {
        let script: @Sendable (GenerationRequest) -> ScriptedEngine.Script = { _ in
            .init(
                ids: TinyModel.ids("Hé!") + [TinyModel.end], finish: .stopToken(TinyModel.end),
                pace: .every(.milliseconds(2)))
        }
        try await TestServer.run(script: script) { (server) async throws in
            let response = try await server.post(
                "/v1/chat/completions", #"{\#(Self.messages),"stream":true,"stream_options":{"include_usage":true}}"#)
            #expect(response.status == 200)
            #expect(response.headers["content-type"]?.hasPrefix("text/event-stream") == true)
            #expect(response.headers["cache-control"] == "no-cache")
            #expect(response.text.hasSuffix("data: [DONE]\n\n"))
            let events = try response.events()
            #expect(Set(events.map { $0["id"]?.string }).count == 1)
            #expect(Set(events.map { $0["created"]?.int }).count == 1)
            #expect(events.allSatisfy { $0["object"]?.string == "chat.completion.chunk" })
            #expect(events.allSatisfy { $0["model"]?.string == "tiny" })
            #expect(events[0]["choices"]?[0]?["delta"]?["role"]?.string == "assistant")
            #expect(events[0]["choices"]?[0]?["delta"]?["content"]?.string == "")
            let contents = events.compactMap { $0["choices"]?[0]?["delta"]?["content"]?.string }
            #expect(contents.joined() == "Hé!")
            // A character of two bytes is two tokens, and never half a delta.
            #expect(!contents.contains { $0.contains("\u{FFFD}") })
            #expect(events[events.count - 2]["choices"]?[0]?["finish_reason"]?.string == "stop")
            #expect(events.dropLast().allSatisfy { $0["usage"] == .null })
            let last = try #require(events.last)
            #expect(last["choices"] == .array([]))
            #expect(last["usage"]?["completion_tokens"]?.int == 5)
            #expect(last["usage"]?["prompt_tokens_details"]?["cached_tokens"]?.int == 0)
        }
    }

    @Test func severalChoicesShareOnePrompt() async throws {
        let script: @Sendable (GenerationRequest) -> ScriptedEngine.Script = { request in
            .init(
                ids: TinyModel.ids("n\(request.sampling.seed ?? 0)"), cachedTokens: request.id.hasSuffix("-0") ? 2 : 9)
        }
        try await TestServer.run(script: script) { (server) async throws in
            let body = #"{\#(Self.messages),"n":3,"seed":5,"max_tokens":2}"#
            let json = try await server.post("/v1/chat/completions", body).json()
            #expect(json["choices"]?.elements.map { $0["message"]?["content"]?.string } == ["n5", "n6", "n7"])
            #expect(json["choices"]?.elements.map { $0["index"]?.int } == [0, 1, 2])
            let submissions = server.engine.record.submissions
            #expect(submissions.count == 3 && Set(submissions.map(\.prompt)).count == 1)
            #expect(Set(submissions.map(\.id)).count == 3)
            #expect(json["usage"]?["prompt_tokens"]?.int == submissions[0].prompt.count)
            #expect(json["usage"]?["completion_tokens"]?.int == 6)
            #expect(json["usage"]?["prompt_tokens_details"]?["cached_tokens"]?.int == 2)

            let stream = try await server.post("/v1/chat/completions", body.dropLast() + #","stream":true}"#)
            var texts = ["", "", ""]
            for event in try stream.events() {
                let choice = event["choices"]?[0]
                texts[choice?["index"]?.int ?? 0] += choice?["delta"]?["content"]?.string ?? ""
            }
            #expect(texts == ["n5", "n6", "n7"])
        }
    }

    @Test func logprobsHaveOneEntryForEachToken() async throws {
        let script: @Sendable (GenerationRequest) -> ScriptedEngine.Script = { _ in
            let tokens = (TinyModel.ids("é!") + [TinyModel.end]).map {
                GeneratedToken(
                    id: $0, logprob: -0.5,
                    top: [TokenLogprob(id: $0, logprob: -0.5), TokenLogprob(id: 65, logprob: -2)])
            }
            return .init(tokens: tokens, finish: .stopToken(TinyModel.end))
        }
        try await TestServer.run(script: script) { (server) async throws in
            let body = #"{\#(Self.messages),"logprobs":true,"top_logprobs":2}"#
            let whole = try await server.post("/v1/chat/completions", body).json()
            #expect(server.engine.record.submissions[0].sampling.topLogprobs == 2)
            let entries = whole["choices"]?[0]?["logprobs"]?["content"]?.elements ?? []
            #expect(entries.map { $0["bytes"] } == [.array([.int(0xC3)]), .array([.int(0xA9)]), .array([.int(33)])])
            #expect(entries[2]["token"]?.string == "!")
            #expect(entries[2]["logprob"] == .number(-0.5))
            #expect(entries[2]["top_logprobs"]?[1]?["token"]?.string == "A")

            let stream = try await server.post("/v1/chat/completions", body.dropLast() + #","stream":true}"#)
            let streamed = try stream.events().flatMap { $0["choices"]?[0]?["logprobs"]?["content"]?.elements ?? [] }
            #expect(streamed == entries)
        }
    }

    @Test func passesEveryParameterOn() async throws {
        try await TestServer.run { (server) async throws in
            let response = try await server.post(
                "/v1/chat/completions",
                #"{\#(Self.messages),"temperature":0.5,"top_p":0.9,"top_k":3,"min_p":0.1,"presence_penalty":1,"frequency_penalty":-1,"repetition_penalty":1.5,"logit_bias":{"65":-100},"seed":7,"max_completion_tokens":2,"min_tokens":1,"stop_token_ids":[66],"ignore_eos":true,"priority":4,"cache_salt":"salt","rid":"my-id"}"#
            )
            #expect(response.status == 200)
            #expect(try response.json()["id"]?.string == "my-id")
            let request = try #require(server.engine.record.submissions.first)
            var expected = SamplingParameters()
            expected.temperature = 0.5
            expected.topP = 0.9
            expected.topK = 3
            expected.minP = 0.1
            expected.presencePenalty = 1
            expected.frequencyPenalty = -1
            expected.repetitionPenalty = 1.5
            expected.logitBias = [65: -100]
            expected.seed = 7
            expected.maxTokens = 2
            expected.minTokens = 1
            expected.stopTokenIDs = [66]
            expected.ignoreEOS = true
            #expect(request.sampling == expected)
            #expect(request.id == "my-id" && request.priority == 4 && request.cacheNamespace == "salt")
        }
    }

    @Test func modelDefaultsHoldWhereNothingIsSaid() async throws {
        var defaults = SamplingParameters()
        defaults.temperature = 0.25
        defaults.topK = 20
        try await TestServer.run(sampling: defaults) { (server) async throws in
            _ = try await server.post("/v1/chat/completions", "{\(Self.messages)}")
            _ = try await server.post("/v1/chat/completions", #"{\#(Self.messages),"temperature":1,"top_k":-1}"#)
            let sampling = server.engine.record.submissions.map(\.sampling)
            #expect(sampling.map(\.temperature) == [0.25, 1])
            #expect(sampling.map(\.topK) == [20, -1])
        }
    }

    @Test func stopStringsEndTheText() async throws {
        let script: @Sendable (GenerationRequest) -> ScriptedEngine.Script = { _ in .init(ids: TinyModel.ids("one;two"))
        }
        try await TestServer.run(script: script) { (server) async throws in
            let json = try await server.post("/v1/chat/completions", #"{\#(Self.messages),"stop":[";"]}"#).json()
            #expect(json["choices"]?[0]?["message"]?["content"]?.string == "one")
            #expect(json["choices"]?[0]?["finish_reason"]?.string == "stop")
            #expect(json["choices"]?[0]?["matched_stop"]?.string == ";")
        }
    }

    @Test func engineFailureMidStreamIsAnEvent() async throws {
        let script: @Sendable (GenerationRequest) -> ScriptedEngine.Script = { _ in
            .init(ids: TinyModel.ids("ab"), finish: .failed(.engineFailed("out of luck")))
        }
        try await TestServer.run(script: script) { (server) async throws in
            let stream = try await server.post("/v1/chat/completions", #"{\#(Self.messages),"stream":true}"#)
            let last = try #require(try stream.events().last)
            #expect(last["error"]?["message"]?.string?.contains("out of luck") == true)
            #expect(stream.text.hasSuffix("data: [DONE]\n\n"))
            let whole = try await server.post("/v1/chat/completions", "{\(Self.messages)}")
            #expect(whole.status == 500)
            #expect(try whole.json()["error"]?["code"]?.string == "engine_failed")
        }
    }
}
