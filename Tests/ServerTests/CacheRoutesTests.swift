import EngineInterface
import Server
import TestSupport
import Testing
import WireTypes

/// What clients and operators are told about the prefix cache.
struct CacheRoutesTests {
    private static let system = "Time: 12:05:31. Be kind to all who ask."

    /// The report of a prompt that differs from a cached one in the seconds of a clock.
    private static let script: @Sendable (GenerationRequest) -> ScriptedEngine.Script = { request in
        var script = ScriptedEngine.Script(ids: TinyModel.ids("hi"))
        let text = TinyModel.text(request.prompt)
        guard let clock = text.utf8.firstIndex(of: UInt8(ascii: "3")) else { return script }
        let before = text.utf8.distance(from: text.startIndex, to: clock)
        // The mark at the beginning is one token.
        let position = before - "<|im_start|>".utf8.count + 1
        var report = CacheReport(promptTokens: request.prompt.count, cachedTokens: position)
        let again = request.prompt.count - position - 3
        report.missed = [
            MissedTokens(reason: .diverged, tokens: again), MissedTokens(reason: .saltDiffers, tokens: 3),
        ]
        report.divergence = CacheDivergence(
            position: position, cached: TinyModel.ids("11. Be kind"), differingPromptTokens: 2,
            differingCachedTokens: 2, sameAgainTokens: again)
        script.report = report
        return script
    }

    private static func chat(_ more: String) -> String {
        """
        {"messages":[{"role":"system","content":"\(system)"},{"role":"user","content":"?"}],\(more)}
        """
    }

    @Test func aClockInTheSystemPromptIsShownWhereItIs() async throws {
        try await TestServer.run(script: Self.script) { (server) async throws in
            let body = Self.chat(#""cache_report":true,"rid":"mine","prompt_cache_key":"k""#)
            let answer = try await server.post("/v1/chat/completions", body).json()
            let report = try #require(answer["cache_report"])
            let divergence = try #require(report["divergence"])
            #expect(divergence["in"]?.string == "messages[0]" && divergence["role"]?.string == "system")
            #expect(divergence["prompt_text"]?.string == "12:05:31.")
            #expect(divergence["cached_text"]?.string == "12:05:11.")
            #expect(divergence["looks_like"]?.string == "time")
            #expect(report["missed"]?[0]?["reason"]?.string == "diverged")
            #expect(report["missed"]?[1]?["reason"]?.string == "first_seen", "another tenant's salt is not told")
            let told = try await server.get("/cache/explain?request_id=mine").json()
            #expect(told["request_id"]?.string == "mine")
            #expect(told["missed"]?[1]?["reason"]?.string == "salt_differs", "to operators it is")
            let unknown = try await server.get("/cache/explain?request_id=other")
            #expect(unknown.status == 404)
            #expect(try await server.get("/cache/explain").status == 400)
        }
    }

    @Test func everyFormOfAnswerCarriesItWhereAskedForAndNoneOtherwise() async throws {
        try await TestServer.run(script: Self.script) { (server) async throws in
            let streamed = try await server.post(
                "/v1/chat/completions", Self.chat(#""stream":true,"cache_report":true"#))
            #expect(streamed.text.contains(#""choices":[],"cache_report":{"prompt_tokens""#))
            let plain = try await server.post("/v1/chat/completions", Self.chat(#""stream":true"#))
            #expect(!plain.text.contains("cache_report"))
            let several = try await server.post(
                "/v1/completions", #"{"prompt":["a","b"],"cache_report":true}"#
            ).json()
            #expect(several["cache_report"]?.elements.count == 2)
            let native = try await server.post("/generate", #"{"text":"a","cache_report":true}"#).json()
            #expect(native["meta_info"]?["cache_report"]?["prompt_tokens"]?.int == 1)
            let silent = try await server.post("/generate", #"{"text":"a"}"#).json()
            #expect(silent["meta_info"]?["cache_report"] == nil)
            #expect(silent["meta_info"]?["cached_tokens"]?.int == 0)
            let wrong = try await server.post("/v1/completions", #"{"prompt":"a","cache_report":"yes"}"#)
            #expect(try wrong.json()["error"]?["param"]?.string == "cache_report")
        }
    }

    @Test func aProbeTakesEveryFormOfPrompt() async throws {
        try await TestServer.run { (server) async throws in
            for body in [#"{"text":"abc"}"#, #"{"prompt":"abc"}"#, #"{"input_ids":[97,98,99]}"#, #""abc""#] {
                let answer = try await server.post("/cache/probe", body).json()
                #expect(answer["prompt_tokens"]?.int == 3 && answer["cached_tokens"]?.int == 0, "\(body)")
            }
            let chat = try await server.post("/cache/probe", Self.chat(#""x":1"#)).json()
            #expect((chat["prompt_tokens"]?.int ?? 0) > 50)
            #expect(server.engine.record.submissions.isEmpty, "nothing is computed")
            for (body, parameter) in [
                ("{}", "prompt"), (#"{"text":"a","input_ids":[1]}"#, "input_ids"), (#"{"input_ids":[999]}"#, "prompt"),
                (#"{"input_ids":["a"]}"#, "input_ids[0]"), (#"{"text":"a","ttl":0}"#, "ttl"),
            ] {
                let answer = try await server.post("/cache/probe", body)
                #expect(answer.status == 400)
                #expect(try answer.json()["error"]?["param"]?.string == parameter, "\(body)")
            }
        }
    }

    @Test func pinningComputesThePromptWithTheEnginesDoor() async throws {
        try await TestServer.run { (server) async throws in
            let answer = try await server.post("/cache/pin", #"{"text":"abcd","id":"p","ttl":9,"cache_salt":"t"}"#)
            // The scripted engine keeps nothing, and says so.
            #expect(answer.status == 409)
            let request = try #require(server.engine.record.submissions.first)
            #expect(request.pins == [PinRequest(id: "p", timeToLive: 9)] && request.cacheNamespace == "t")
            #expect(request.sampling.maxTokens == 1 && request.prompt == TinyModel.ids("abcd"))
            #expect(try await server.get("/cache/pins").json()["pins"]?.elements.count == 0)
            #expect(try await server.post("/cache/unpin", #"{"id":"p"}"#).status == 404)
            #expect(try await server.post("/cache/unpin", "{}").status == 400)
        }
    }

    @Test func theTreeIsListedAndItsParametersAreChecked() async throws {
        var statistics = EngineStatistics()
        (statistics.totalPages, statistics.freePages, statistics.cachedPages) = (64, 40, 24)
        try await TestServer.run(statistics: statistics) { (server) async throws in
            let tree = try await server.get("/cache/tree").json()
            #expect(tree["pages"]?["cached"]?.int == 24 && tree["prefixes"]?.elements.count == 0)
            #expect(try await server.get("/cache/tree?order=tokens&limit=5&preview=0").status == 200)
            for query in ["order=size", "limit=0", "limit=x", "preview=9999"] {
                #expect(try await server.get("/cache/tree?" + query).status == 400, "\(query)")
            }
        }
    }

    @Test func openAndLatestRequestsAreListed() async throws {
        let script: @Sendable (GenerationRequest) -> ScriptedEngine.Script = { request in
            .init(
                ids: TinyModel.ids("ab"), cachedTokens: 2,
                pace: request.prompt == TinyModel.ids("now") ? .gated : .immediate)
        }
        try await TestServer.run(script: script) { (server) async throws in
            #expect(try await server.get("/cache/requests").json()["requests"]?.elements.isEmpty == true)
            _ = try await server.post("/generate", #"{"text":"earlier","rid":"e"}"#)
            async let answer = server.post("/generate", #"{"text":"now","rid":"n"}"#)
            #expect(await server.engine.waits { $0.submissions.count == 2 })
            func states() async throws -> [String] {
                let list = try await server.get("/cache/requests").json()["requests"]?.elements ?? []
                return list.compactMap { request in
                    request["id"]?.string.map {
                        "\($0) \(request["state"]?.string ?? "") \(request["cached_tokens"]?.int ?? -1)"
                    }
                }
            }
            #expect(try await states() == ["n waiting -1", "e ended 2"])
            server.engine.release(1, of: "n")
            for _ in 0..<200 where try await states().first == "n waiting -1" {
                try await Task.sleep(for: .milliseconds(5))
            }
            #expect(try await states() == ["n running 2", "e ended 2"])
            server.engine.release(9, of: "n")
            #expect(try await answer.status == 200)
            #expect(try await states() == ["n ended 2", "e ended 2"])
        }
    }

    @Test func metricsAreInPrometheusForm() async throws {
        var statistics = EngineStatistics()
        (statistics.totalPages, statistics.freePages, statistics.cachedPages) = (64, 40, 24)
        statistics.missedTokensByReason = [.diverged: 5]
        try await TestServer.run(statistics: statistics) { (server) async throws in
            _ = try await server.post("/v1/completions", #"{"prompt":"abc"}"#)
            let answer = try await server.get("/metrics")
            #expect(answer.headers["content-type"]?.hasPrefix("text/plain; version=0.0.4") == true)
            let lines = answer.text.split(separator: "\n").map(String.init)
            for line in [
                #"radish_cache_missed_tokens_total{model_name="tiny",reason="diverged"} 5"#,
                #"radish_cache_pages{model_name="tiny",state="free"} 40"#,
                #"sglang:num_requests_total{model_name="tiny"} 1"#,
                #"vllm:request_success_total{model_name="tiny",finished_reason="length"} 1"#,
                #"vllm:time_to_first_token_seconds_bucket{model_name="tiny",le="+Inf"} 1"#,
                #"sglang:inter_token_latency_seconds_count{model_name="tiny"} 1"#,
                "# TYPE sglang:e2e_request_latency_seconds histogram",
            ] { #expect(lines.contains(line), "\(line)") }
            let names = lines.filter { $0.hasPrefix("# TYPE") }
            #expect(Set(names).count == names.count && names.count > 50)
        }
    }
}
