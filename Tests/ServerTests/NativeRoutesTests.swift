import EngineInterface
import Server
import TestSupport
import Testing
import WireTypes

struct NativeRoutesTests {
    private static let hello: @Sendable (GenerationRequest) -> ScriptedEngine.Script = { _ in
        .init(
            tokens: (TinyModel.ids("Hi") + [TinyModel.end]).map { GeneratedToken(id: $0, logprob: -0.25) },
            finish: .stopToken(TinyModel.end), cachedTokens: 1)
    }

    @Test func generatesInSGLangsForm() async throws {
        try await TestServer.run(script: Self.hello) { (server) async throws in
            let response = try await server.post(
                "/generate",
                #"{"text":"abc","rid":"r1","return_logprob":true,"return_text_in_logprobs":true,"sampling_params":{"temperature":0,"max_new_tokens":8}}"#
            )
            #expect(response.status == 200)
            let json = try response.json()
            #expect(json["text"]?.string == "Hi")
            #expect(json["output_ids"] == .array([.int(72), .int(105), .int(257)]))
            let info = try #require(json["meta_info"])
            #expect(info["id"]?.string == "r1")
            #expect(info["finish_reason"]?["type"]?.string == "stop")
            #expect(info["finish_reason"]?["matched"]?.int == 257)
            #expect(info["prompt_tokens"]?.int == 3 && info["completion_tokens"]?.int == 3)
            #expect(info["cached_tokens"]?.int == 1)
            #expect(info["output_token_logprobs"]?[0] == .array([.number(-0.25), .int(72), .string("H")]))
            if case .number? = info["e2e_latency"] {} else { Issue.record("no latency") }
            #expect(server.engine.record.submissions[0].sampling.maxTokens == 8)
        }
    }

    @Test func batchesAreLists() async throws {
        try await TestServer.run(script: Self.hello) { (server) async throws in
            let batch = try await server.post(
                "/generate", #"{"input_ids":[[65],[66,67]],"sampling_params":[{"max_new_tokens":1},{}]}"#
            ).json()
            #expect(batch.elements.map { $0["text"]?.string } == ["H", "Hi"])
            #expect(batch[0]?["meta_info"]?["finish_reason"]?["type"]?.string == "length")
            #expect(batch[0]?["meta_info"]?["finish_reason"]?["length"]?.int == 1)
            #expect(batch[1]?["meta_info"]?["prompt_tokens"]?.int == 2)
            let several = try await server.post("/generate", #"{"text":"a","sampling_params":{"n":2}}"#).json()
            #expect(several.elements.count == 2)
        }
    }

    @Test func streamedTextIsCumulative() async throws {
        let script: @Sendable (GenerationRequest) -> ScriptedEngine.Script = { _ in
            .init(ids: TinyModel.ids("abc"), pace: .every(.milliseconds(20)))
        }
        try await TestServer.run(script: script) { (server) async throws in
            let response = try await server.post("/generate", #"{"text":"x","stream":true}"#)
            #expect(response.text.hasSuffix("data: [DONE]\n\n"))
            let events = try response.events()
            let texts = events.compactMap { $0["text"]?.string }
            #expect(texts.last == "abc")
            for (earlier, later) in zip(texts, texts.dropFirst()) { #expect(later.hasPrefix(earlier)) }
            #expect(texts.count >= 3)
            #expect(events.first?["meta_info"]?["finish_reason"] == .null)
            #expect(events.last?["meta_info"]?["completion_tokens"]?.int == 3)
            #expect(events.allSatisfy { $0["index"] == nil })
            let batch = try await server.post("/generate", #"{"text":["x","y"],"stream":true}"#)
            #expect(Set(try batch.events().compactMap { $0["index"]?.int }) == [0, 1])
        }
    }

    @Test func informationHasTheNamesThatClientsRead() async throws {
        var statistics = EngineStatistics()
        statistics.totalPages = 64
        statistics.freePages = 60
        statistics.cachedPages = 3
        statistics.leasedPages = 1
        try await TestServer.run(statistics: statistics) { (server) async throws in
            for path in ["/get_model_info", "/model_info"] {
                let json = try await server.get(path).json()
                #expect(json["model_path"]?.string == "/models/tiny")
                #expect(json["is_generation"] == .bool(true))
            }
            for path in ["/get_server_info", "/server_info"] {
                let json = try await server.get(path).json()
                #expect(json["pages"]?["total"]?.int == 64 && json["pages"]?["free"]?.int == 60)
                #expect(json["pages"]?["cached"]?.int == 3 && json["pages"]?["leased"]?.int == 1)
                #expect(json["requests"]?["running"]?.int == 0 && json["requests"]?["waiting"]?.int == 0)
                #expect(json["max_total_num_tokens"]?.int == 1024)
                #expect(json["version"]?.string == "1.2.3")
                #expect(json["internal_states"]?.elements.count == 1)
            }
            #expect(try await server.get("/version").json()["version"]?.string == "1.2.3")
        }
    }

    @Test func modelsAreListedAndFoundByName() async throws {
        try await TestServer.run { (server) async throws in
            let list = try await server.get("/v1/models").json()
            #expect(list["object"]?.string == "list")
            #expect(list["data"]?.elements.map { $0["id"]?.string } == ["tiny", "org/tiny"])
            #expect(list["data"]?[0]?["max_model_len"]?.int == 200)
            for path in ["/v1/models/tiny", "/v1/models/org/tiny", "/v1/models/org%2Ftiny"] {
                let card = try await server.get(path)
                #expect(card.status == 200, "\(path)")
                #expect(try card.json()["object"]?.string == "model")
            }
            let missing = try await server.get("/v1/models/other")
            #expect(missing.status == 404)
            #expect(try missing.json()["error"]?["code"]?.string == "model_not_found")
        }
    }

    @Test func healthGenerateGeneratesOneToken() async throws {
        try await TestServer.run { (server) async throws in
            #expect(try await server.get("/health").status == 200)
            #expect(server.engine.record.submissions.isEmpty)
            #expect(try await server.get("/health_generate").status == 200)
            #expect(server.engine.record.submissions.map(\.sampling.maxTokens) == [1])
            #expect(try await server.send("HEAD", "/health").status == 200)
        }
    }

    @Test func healthGenerateGivesUpOnAStuckEngine() async throws {
        try await TestServer.run(
            configure: { $0.healthTimeout = .milliseconds(50) },
            script: { _ in
                .init(ids: [65], pace: .gated)
            }
        ) { (server) async throws in
            #expect(try await server.get("/health_generate").status == 503)
            #expect(await server.engine.waits { $0.aborted.count == 1 })
        }
    }

    @Test func flushingIsRefusedWhileRequestsRun() async throws {
        try await TestServer.run(script: { _ in .init(ids: [65], pace: .gated) }) { (server) async throws in
            for method in ["GET", "POST"] { #expect(try await server.send(method, "/flush_cache").status == 200) }
            let running = try await server.connect()
            try await running.send("POST", "/generate", body: Array(#"{"text":"x","rid":"r"}"#.utf8))
            #expect(await server.engine.waits { $0.submissions.count == 1 })
            let refused = try await server.post("/flush_cache", "")
            #expect(refused.status == 400)
            #expect(try refused.json()["error"]?["code"]?.string == "cache_in_use")
            async let waiting = server.post("/flush_cache?timeout=10", "")
            #expect(await server.engine.waits { $0.flushes >= 5 })
            server.engine.release(1, of: "r")
            #expect(try await waiting.status == 200)
            #expect(try await running.response().status == 200)
        }
    }
}
