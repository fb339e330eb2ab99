import EngineInterface
import Server
import TestSupport
import Testing
import WireTypes

/// Ollama's API.
struct OllamaTests {
    private static let answer: @Sendable (GenerationRequest) -> ScriptedEngine.Script = { _ in
        .init(ids: TinyModel.ids("Hello") + [TinyModel.end], finish: .stopToken(TinyModel.end))
    }

    private static func lines(_ text: String) throws -> [JSONValue] {
        try text.split(separator: "\n").map { try JSONParser.parse(Array($0.utf8)) }
    }

    @Test func chatStreamsLinesUnlessToldNotTo() async throws {
        try await TestServer.run(script: Self.answer) { (server) async throws in
            let body =
                #"{"model":"tiny:latest","messages":[{"role":"user","content":"Hi"}],"options":{"seed":7,"num_predict":9}"#
            let response = try await server.post("/api/chat", body + "}")
            #expect(response.headers["content-type"] == "application/x-ndjson")
            let lines = try Self.lines(response.text)
            #expect(lines.compactMap { $0["message"]?["content"]?.string }.joined() == "Hello")
            #expect(lines.dropLast().allSatisfy { $0["done"] == .bool(false) })
            let last = try #require(lines.last)
            #expect(last["done"] == .bool(true) && last["done_reason"]?.string == "stop")
            #expect(last["eval_count"]?.int == 6)
            #expect((last["prompt_eval_count"]?.int ?? 0) > 0 && (last["total_duration"]?.int ?? 0) > 0)
            #expect(last["created_at"]?.string?.hasSuffix("Z") == true)
            let whole = try await server.post("/api/chat", body + #","stream":false}"#).json()
            #expect(whole["message"]?["content"]?.string == "Hello" && whole["done"] == .bool(true))
            #expect(server.engine.record.submissions.allSatisfy { $0.sampling.seed == 7 && $0.sampling.maxTokens == 9 })
        }
    }

    @Test func generateTakesATextWithTemplateOrWithout() async throws {
        try await TestServer.run(script: Self.answer) { (server) async throws in
            let templated = try await server.post(
                "/api/generate", #"{"model":"tiny","prompt":"Hi","system":"S","stream":false}"#
            ).json()
            #expect(templated["response"]?.string == "Hello")
            _ = try await server.post("/api/generate", #"{"model":"tiny","prompt":"Hi","raw":true,"stream":false}"#)
            let prompts = server.engine.record.submissions.map { TinyModel.text($0.prompt) }
            #expect(prompts[0].hasPrefix("<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nHi"))
            #expect(prompts[1] == "Hi")
            let loaded = try await server.post("/api/generate", #"{"model":"tiny"}"#).json()
            #expect(loaded["done_reason"]?.string == "load")
        }
    }

    @Test func modelsAreDescribed() async throws {
        try await TestServer.run { (server) async throws in
            let tags = try await server.get("/api/tags").json()
            #expect(tags["models"]?.elements.compactMap { $0["name"]?.string } == ["tiny", "org/tiny"])
            let shown = try await server.post("/api/show", #"{"model":"tiny:latest"}"#).json()
            #expect(shown["capabilities"]?[0]?.string == "completion")
            #expect(shown["model_info"]?["TinyForCausalLM.context_length"]?.int == 200)
            #expect(try await server.get("/api/ps").json()["models"]?.elements.count == 1)
            #expect(try await server.get("/api/version").json()["version"]?.string?.contains("1.2.3") == true)
        }
    }

    @Test func errorsAreAString() async throws {
        try await TestServer.run { (server) async throws in
            let unknown = try await server.post(
                "/api/chat", #"{"model":"llama","messages":[{"role":"user","content":"x"}]}"#)
            #expect(unknown.status == 404)
            #expect(try unknown.json()["error"]?.string?.contains("'tiny'") == true)
            #expect(try await server.post("/api/embed", "{}").status == 400)
            #expect(
                try await server.post(
                    "/api/chat", #"{"model":"tiny","format":7,"messages":[{"role":"user","content":"x"}]}"#
                ).status == 400)
        }
    }
}
