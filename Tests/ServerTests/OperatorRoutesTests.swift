import EngineInterface
import Server
import TestSupport
import Testing
import WireTypes

/// What SGLang's and vLLM's operators call besides generating.
struct OperatorRoutesTests {
    private static let gated: @Sendable (GenerationRequest) -> ScriptedEngine.Script = { _ in
        .init(ids: TinyModel.ids("abcdef"), pace: .gated)
    }

    @Test func requestsAreAbortedByTheirName() async throws {
        try await TestServer.run(script: Self.gated) { (server) async throws in
            async let one = server.post("/generate", #"{"text":"x","rid":"r1"}"#)
            async let batch = server.post("/generate", #"{"text":["x","y"],"rid":"r2"}"#)
            async let chat = server.post("/v1/completions", #"{"prompt":"x","rid":"r3"}"#)
            #expect(await server.engine.waits { $0.submissions.count == 4 })
            for (rid, count) in [("r", 0), ("r1", 1), ("r2", 2)] {
                let aborted = try await server.post("/abort_request", #"{"rid":"\#(rid)"}"#).json()
                #expect(aborted["aborted"]?.int == count, "\(rid)")
            }
            #expect(try await one.json()["meta_info"]?["finish_reason"]?["type"]?.string == "abort")
            #expect(try await batch.json().elements.count == 2)
            #expect(server.engine.liveCount == 1)
            _ = try await server.post("/abort_request", #"{"abort_all":true}"#)
            #expect(try await chat.json()["choices"]?[0]?["finish_reason"]?.string == "abort")
            #expect(try await server.post("/abort_request", "{}").status == 400)
        }
    }

    @Test func pausingTellsTheEngineHow() async throws {
        try await TestServer.run { (server) async throws in
            for body in ["", "{}", #"{"mode":"in_place"}"#, #"{"mode":"retract"}"#] {
                #expect(try await server.post("/pause_generation", body).status == 200)
            }
            #expect(server.engine.record.pauses == [.abort, .abort, .inPlace, .retract])
            let wrong = try await server.post("/pause_generation", #"{"mode":"later"}"#)
            #expect(wrong.status == 400)
            #expect(try wrong.json()["error"]?["param"]?.string == "mode")
            #expect(try await server.post("/continue_generation", "").status == 200)
            #expect(server.engine.record.resumes == 1)
        }
    }

    @Test func aProfileIsATraceThatViewersRead() async throws {
        try await TestServer.run { (server) async throws in
            #expect(try await server.post("/start_profile", "{}").status == 200)
            let events = try #require(try await server.post("/stop_profile", "").json()["traceEvents"]?.elements)
            #expect(events.count == 3)
            let span = try #require(events.last)
            #expect(span["name"]?.string == "forward" && span["ph"]?.string == "X")
            #expect(span["args"]?["rows"]?.int == 3)
            #expect(try await server.get("/stop_profile").json()["traceEvents"]?.elements.count == 2)
        }
    }

    @Test func loadIsReported() async throws {
        var statistics = EngineStatistics()
        (statistics.totalPages, statistics.leasedPages, statistics.cachedPages) = (64, 16, 8)
        try await TestServer.run(statistics: statistics) { (server) async throws in
            let list = try await server.get("/get_load").json()
            #expect(list[0]?["num_used_tokens"]?.int == 256)
            #expect(list[0]?["token_usage"] == .number(0.25))
            let loads = try await server.get("/v1/loads").json()
            #expect(loads["loads"]?[0]?["num_cached_tokens"]?.int == 128)
            #expect(loads["aggregate"]?["total_reqs"]?.int == 0)
            #expect(try await server.get("/load").json()["server_load"]?.int == 0)
        }
    }

    @Test func textBecomesTokensAndBack() async throws {
        try await TestServer.run { (server) async throws in
            for path in ["/tokenize", "/v1/tokenize"] {
                let json = try await server.post(path, #"{"prompt":"Hi","model":"tiny"}"#).json()
                #expect(json["tokens"] == .array([.int(72), .int(105)]))
                #expect(json["count"]?.int == 2 && json["max_model_len"]?.int == 200)
            }
            let several = try await server.post("/tokenize", #"{"prompt":["a","bc"],"return_token_strs":true}"#).json()
            #expect(several["count"] == .array([.int(1), .int(2)]))
            let chat = try await server.post(
                "/tokenize", #"{"messages":[{"role":"user","content":"x"}],"add_generation_prompt":false}"#
            ).json()
            #expect(chat["tokens"]?[0]?.int == Int(TinyModel.start))
            let back = try await server.post("/detokenize", #"{"tokens":[72,105,257]}"#).json()
            #expect(back["prompt"]?.string == "Hi<|im_end|>" && back["text"]?.string == "Hi<|im_end|>")
            let without = try await server.post("/detokenize", #"{"tokens":[[72,257]],"skip_special_tokens":true}"#)
            #expect(try without.json()["text"] == .array([.string("H")]))
            #expect(try await server.post("/detokenize", #"{"tokens":[999]}"#).status == 400)
            #expect(try await server.post("/tokenize", "{}").status == 400)
        }
    }

    @Test func sessionsContinueWhatWasSaid() async throws {
        try await TestServer.run(script: { _ in .init(ids: TinyModel.ids("!")) }) { (server) async throws in
            let opened = try await server.post("/open_session", #"{"capacity_of_str_len":1000}"#)
            let session = try #require(try opened.json().string)
            #expect(try await server.post("/open_session", #"{"session_id":"\#(session)"}"#).status == 400)
            func say(_ text: String, _ rid: String, _ more: String) async throws -> Int {
                try await server.post(
                    "/generate",
                    #"{"text":"\#(text)","rid":"\#(rid)","session_params":{"id":"\#(session)"\#(more)}}"#
                ).status
            }
            #expect(try await say("ab", "1", "") == 200)
            #expect(try await say("cd", "2", #","rid":"1""#) == 200)
            #expect(try await say("ef", "3", #","rid":"2","drop_previous_output":true"#) == 200)
            #expect(try await say("gh", "4", #","rid":"1","offset":1"#) == 200)
            #expect(try await say("ij", "5", "") == 200)
            let prompts = server.engine.record.submissions.map { TinyModel.text($0.prompt) }
            #expect(prompts == ["ab", "ab!cd", "ab!cdef", "agh", "ij"])
            #expect(try await say("x", "6", #","rid":"9""#) == 400)
            #expect(try await say("x", "6", #","rid":"1","replace":true"#) == 200)
            // What followed the first is forgotten.
            #expect(try await say("x", "7", #","rid":"3""#) == 400)
            #expect(try await server.post("/close_session", #"{"session_id":"\#(session)"}"#).status == 200)
            #expect(try await say("x", "8", "") == 400)
        }
    }

    @Test func labelsAreScored() async throws {
        let script: @Sendable (GenerationRequest) -> ScriptedEngine.Script = { request in
            let asked = request.sampling.logprobTokenIDs.map { TokenLogprob(id: $0, logprob: $0 == 65 ? -0.5 : -1.5) }
            return .init(tokens: [GeneratedToken(id: 65, logprob: -0.5, asked: asked)])
        }
        try await TestServer.run(script: script) { (server) async throws in
            let json = try await server.post(
                "/v1/score",
                #"{"query":"q","items":["a","b"],"label_token_ids":[65,66],"apply_softmax":true,"model":"tiny"}"#
            ).json()
            #expect(json["object"]?.string == "scoring")
            let scores = try #require(json["scores"]?.elements)
            #expect(scores.count == 2)
            guard case .number(let first)? = scores[0][0], case .number(let second)? = scores[0][1] else {
                Issue.record("no numbers")
                return
            }
            #expect(abs(first + second - 1) < 1e-9 && abs(first - 0.7310585786) < 1e-6)
            #expect(server.engine.record.submissions.map { TinyModel.text($0.prompt) } == ["qa", "qb"])
            let wrong = try await server.post("/v1/score", #"{"items":["a"],"label_token_ids":[900]}"#)
            #expect(wrong.status == 400)
            #expect(try wrong.json()["error"]?["param"]?.string == "label_token_ids")
        }
    }

    @Test func whatIsNotThereSaysWhy() async throws {
        try await TestServer.run { (server) async throws in
            for path in [
                "/v1/embeddings", "/encode", "/v1/rerank", "/sleep", "/update_weights_from_tensor",
                "/update_weights_from_disk",
            ] {
                let response = try await server.post(path, #"{"input":"x"}"#)
                #expect(response.status == 400, "\(path)")
                #expect(try response.json()["error"]?["code"]?.string == "unsupported_endpoint")
            }
            #expect(try await server.get("/is_sleeping").status == 400)
        }
    }

    @Test func probesAnswerWithoutAKeyAndAtAnyTime() async throws {
        try await TestServer.run(isReady: false, configure: { $0.apiKey = "k" }) { (server) async throws in
            #expect(try await server.get("/livez").status == 200)
            for path in ["/health", "/readyz", "/ping"] { #expect(try await server.get(path).status == 503, "\(path)") }
            #expect(try await server.get("/load").status == 401)
        }
    }
}
