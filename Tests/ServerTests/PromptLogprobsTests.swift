import EngineInterface
import Server
import TestSupport
import Testing
import WireTypes

/// Log-probabilities of the prompt in the forms of the three APIs. The scripted engine says `-i / 8` of token `i`.
struct PromptLogprobsTests {
    private static let script: @Sendable (GenerationRequest) -> ScriptedEngine.Script = { _ in
        .init(
            tokens: TinyModel.ids("xy").map {
                GeneratedToken(id: $0, logprob: -0.25, top: [.init(id: $0, logprob: -0.25)])
            })
    }

    @Test func echoHasTheLogprobsOfTheWholeText() async throws {
        try await TestServer.run(script: Self.script) { (server) async throws in
            let body = #"{"prompt":"abc","echo":true,"logprobs":1,"max_tokens":2"#
            let choice = try #require(try await server.post("/v1/completions", body + "}").json()["choices"]?[0])
            #expect(choice["text"]?.string == "abcxy")
            let logprobs = try #require(choice["logprobs"])
            #expect(logprobs["tokens"]?.elements.compactMap(\.string) == ["a", "b", "c", "x", "y"])
            #expect(logprobs["token_logprobs"]?[0] == .null)
            #expect(logprobs["token_logprobs"]?[2] == .number(-0.25))
            #expect(logprobs["top_logprobs"]?[0] == .null)
            #expect(logprobs["top_logprobs"]?[1]?["A"] == .number(-0.125))
            #expect(logprobs["text_offset"] == .array([0, 1, 2, 3, 4].map { .int($0) }))

            let events = try await server.post("/v1/completions", body + #","stream":true}"#).events()
            #expect(events.compactMap { $0["choices"]?[0]?["text"]?.string }.joined() == "abcxy")
            let offsets = events.compactMap { $0["choices"]?[0]?["logprobs"]?["text_offset"]?.elements }.joined()
            #expect(offsets.compactMap(\.int) == [0, 1, 2, 3, 4])
        }
    }

    @Test func nothingIsGeneratedWhereOnlyThePromptIsWanted() async throws {
        try await TestServer.run(script: Self.script) { (server) async throws in
            let json = try await server.post(
                "/v1/completions", #"{"prompt":"abc","echo":true,"logprobs":0,"max_tokens":0}"#
            ).json()
            #expect(json["choices"]?[0]?["text"]?.string == "abc")
            #expect(json["choices"]?[0]?["finish_reason"]?.string == "length")
            #expect(json["usage"]?["completion_tokens"]?.int == 0)
        }
    }

    @Test func vLLMsFieldIsAnObjectByTokenID() async throws {
        try await TestServer.run(script: Self.script) { (server) async throws in
            let completion = try await server.post("/v1/completions", #"{"prompt":"ab","prompt_logprobs":1}"#).json()
            let list = try #require(completion["choices"]?[0]?["prompt_logprobs"])
            #expect(list[0] == .null)
            #expect(list[1]?["98"]?["decoded_token"]?.string == "b")
            #expect(list[1]?["65"]?["rank"]?.int == 1)
            let chat = try await server.post(
                "/v1/chat/completions", #"{"messages":[{"role":"user","content":"x"}],"prompt_logprobs":0}"#
            ).json()
            #expect(chat["prompt_logprobs"]?.elements.count == server.engine.record.submissions.last?.prompt.count)
            let stream = try await server.post(
                "/v1/completions", #"{"prompt":"ab","prompt_logprobs":1,"stream":true}"#)
            #expect(stream.status == 400)
        }
    }

    @Test func sglangsListsHaveTriples() async throws {
        try await TestServer.run(script: Self.script) { (server) async throws in
            let info = try #require(
                try await server.post(
                    "/generate",
                    #"""
                    {"text":"abcd","return_logprob":true,"logprob_start_len":2,"top_logprobs_num":1,
                     "token_ids_logprob":[65],"return_text_in_logprobs":true,"sampling_params":{"max_new_tokens":1}}
                    """#
                ).json()["meta_info"])
            let input = try #require(info["input_token_logprobs"]?.elements)
            #expect(
                input == [
                    .array([.number(-0.25), .int(99), .string("c")]),
                    .array([.number(-0.375), .int(100), .string("d")]),
                ])
            #expect(info["input_top_logprobs"]?.elements.count == 2)
            #expect(info["input_token_ids_logprobs"]?[0]?[0]?[1]?.int == 65)
            #expect(info["output_token_ids_logprobs"]?.elements.count == 1)
            #expect(server.engine.record.submissions.last?.promptLogprobs == PromptLogprobs(start: 2, top: 1))
            let whole = try await server.post(
                "/generate", #"{"text":"ab","return_logprob":true,"logprob_start_len":0}"#
            ).json()
            #expect(whole["meta_info"]?["input_token_logprobs"]?[0]?[0] == .null)
        }
    }

    @Test func theMostLikelyOfSeveralIsReturned() async throws {
        let script: @Sendable (GenerationRequest) -> ScriptedEngine.Script = { request in
            let quality = Float(request.id.utf8.last ?? 0) - 48
            return .init(tokens: [GeneratedToken(id: 65 + Int32(quality), logprob: -abs(quality - 2))])
        }
        try await TestServer.run(script: script) { (server) async throws in
            let json = try await server.post("/v1/completions", #"{"prompt":"x","n":2,"best_of":4}"#).json()
            #expect(json["choices"]?.elements.compactMap { $0["text"]?.string } == ["C", "B"])
            #expect(json["choices"]?[0]?["logprobs"] == .null)
            #expect(json["usage"]?["completion_tokens"]?.int == 4)
            for wrong in [#""n":3,"best_of":2"#, #""best_of":2,"stream":true"#] {
                #expect(try await server.post("/v1/completions", #"{"prompt":"x",\#(wrong)}"#).status == 400)
            }
        }
    }

    @Test func aLongPromptIsCutInFront() async throws {
        try await TestServer.run(script: Self.script) { (server) async throws in
            _ = try await server.post("/v1/completions", #"{"prompt":"abcdef","truncate_prompt_tokens":2}"#)
            let long = String(repeating: "x", count: 300)
            _ = try await server.post(
                "/v1/completions", #"{"prompt":"\#(long)","truncate_prompt_tokens":-1,"max_tokens":10}"#)
            #expect(server.engine.record.submissions.map(\.prompt.count) == [2, 190])
            #expect(
                try await server.post("/v1/completions", #"{"prompt":"a","truncate_prompt_tokens":0}"#).status == 400)
        }
    }
}
