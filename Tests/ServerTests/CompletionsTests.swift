import EngineInterface
import TestSupport
import Testing
import WireTypes

struct CompletionsTests {
    /// Answers with the prompt in upper case.
    private static let shout: @Sendable (GenerationRequest) -> ScriptedEngine.Script = { request in
        .init(ids: TinyModel.ids(TinyModel.text(request.prompt).uppercased()))
    }

    @Test(arguments: [
        (#""ab""#, ["AB"]), ("[97,98]", ["AB"]), (#"["ab","cd"]"#, ["AB", "CD"]), ("[[97],[98,99]]", ["A", "BC"]),
    ])
    func takesEveryFormOfPrompt(prompt: String, expected: [String]) async throws {
        try await TestServer.run(script: Self.shout) { (server) async throws in
            let response = try await server.post("/v1/completions", #"{"model":"org/tiny","prompt":\#(prompt)}"#)
            #expect(response.status == 200)
            let json = try response.json()
            #expect(json["object"]?.string == "text_completion")
            #expect(json["model"]?.string == "org/tiny")
            #expect(json["choices"]?.elements.map { $0["text"]?.string } == expected)
            #expect(json["choices"]?.elements.map { $0["index"]?.int } == Array(0..<expected.count))
            #expect(json["choices"]?[0]?["finish_reason"]?.string == "length")
            let letters = expected.joined().utf8.count
            #expect(json["usage"]?["prompt_tokens"]?.int == letters)
            #expect(json["usage"]?["completion_tokens"]?.int == letters)
            #expect(server.engine.record.submissions.allSatisfy { $0.sampling.maxTokens == 16 })
        }
    }

    @Test func streamsABatchWithTextInEveryChunk() async throws {
        try await TestServer.run(script: Self.shout) { (server) async throws in
            let response = try await server.post(
                "/v1/completions",
                #"{"prompt":["ab","cde"],"n":2,"stream":true,"stream_options":{"include_usage":true}}"#)
            let events = try response.events()
            var texts = ["", "", "", ""]
            for event in events.dropLast() {
                let choice = try #require(event["choices"]?[0])
                texts[try #require(choice["index"]?.int)] += try #require(choice["text"]?.string)
            }
            #expect(texts == ["AB", "AB", "CDE", "CDE"])
            #expect(events.last?["usage"]?["prompt_tokens"]?.int == 5)
            #expect(events.last?["usage"]?["completion_tokens"]?.int == 10)
        }
    }

    @Test func echoPutsThePromptFirst() async throws {
        try await TestServer.run(script: Self.shout) { (server) async throws in
            let whole = try await server.post("/v1/completions", #"{"prompt":"ab","echo":true}"#).json()
            #expect(whole["choices"]?[0]?["text"]?.string == "abAB")
            let ids = try await server.post("/v1/completions", #"{"prompt":[[99]],"echo":true}"#).json()
            #expect(ids["choices"]?[0]?["text"]?.string == "cC")
            let stream = try await server.post("/v1/completions", #"{"prompt":"ab","echo":true,"stream":true}"#)
            #expect(try stream.events().compactMap { $0["choices"]?[0]?["text"]?.string }.joined() == "abAB")
        }
    }

    @Test func logprobsCarryTextOffsets() async throws {
        let script: @Sendable (GenerationRequest) -> ScriptedEngine.Script = { _ in
            .init(
                tokens: TinyModel.ids("abc").map {
                    GeneratedToken(id: $0, logprob: -1, top: [TokenLogprob(id: $0, logprob: -1)])
                })
        }
        try await TestServer.run(script: script) { (server) async throws in
            let body = #"{"prompt":"x","logprobs":1"#
            let whole = try await server.post("/v1/completions", body + "}").json()
            let logprobs = try #require(whole["choices"]?[0]?["logprobs"])
            #expect(logprobs["tokens"] == .array([.string("a"), .string("b"), .string("c")]))
            #expect(logprobs["text_offset"] == .array([.int(0), .int(1), .int(2)]))
            #expect(logprobs["top_logprobs"]?[0]?["a"] == .number(-1))
            let stream = try await server.post("/v1/completions", body + #","stream":true}"#)
            let offsets = try stream.events().flatMap { $0["choices"]?[0]?["logprobs"]?["text_offset"]?.elements ?? [] }
            #expect(offsets == [.int(0), .int(1), .int(2)])
        }
    }

    /// A character of several tokens counts once, where it begins; a stop string that is held back moves nothing.
    @Test func textOffsetsCountCharacters() async throws {
        let script: @Sendable (GenerationRequest) -> ScriptedEngine.Script = { _ in
            .init(tokens: TinyModel.ids("aé🙂bxb").map { GeneratedToken(id: $0, logprob: -1) })
        }
        let expected = [0, 1, 2, 2, 3, 3, 3, 3, 4, 5].map { JSONValue.int($0) }
        try await TestServer.run(script: script) { (server) async throws in
            let body = #"{"prompt":"x","logprobs":0,"stop":["bb"]"#
            let whole = try await server.post("/v1/completions", body + "}").json()
            #expect(whole["choices"]?[0]?["logprobs"]?["text_offset"] == .array(expected))
            let stream = try await server.post("/v1/completions", body + #","stream":true}"#)
            let offsets = try stream.events().flatMap { $0["choices"]?[0]?["logprobs"]?["text_offset"]?.elements ?? [] }
            #expect(offsets == expected)
        }
    }

    @Test func concurrentStreamsAreNotMixed() async throws {
        let script: @Sendable (GenerationRequest) -> ScriptedEngine.Script = { request in
            .init(
                ids: (0..<16).flatMap { _ in request.prompt.prefix(1) }, pace: .every(.milliseconds(1)))
        }
        try await TestServer.run(script: script) { (server) async throws in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<32 {
                    group.addTask {
                        let letter = String(UnicodeScalar(UInt8(65 + number)))
                        let response = try await server.post(
                            "/v1/completions", #"{"prompt":"\#(letter == "\\" ? "\\\\" : letter)","stream":true}"#)
                        let text = try response.events().compactMap { $0["choices"]?[0]?["text"]?.string }.joined()
                        #expect(text == String(repeating: letter, count: 16))
                    }
                }
                try await group.waitForAll()
            }
            #expect(server.engine.liveCount == 0)
        }
    }
}
