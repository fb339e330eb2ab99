import EngineInterface
import Server
import TestSupport
import Testing
import WireTypes

/// What SGLang's clients may ask for beyond OpenAI's fields: parameters by prompt, where tokens were cached, stop
/// expressions.
struct SGLangExtensionTests {
    private static let script: @Sendable (GenerationRequest) -> ScriptedEngine.Script = { _ in
        .init(
            tokens: TinyModel.ids("a1b2").map {
                GeneratedToken(id: $0, logprob: -0.25, top: [.init(id: $0, logprob: -0.25)])
            })
    }

    @Test func eachPromptOfABatchHasItsOwnLogprobs() async throws {
        try await TestServer.run(script: Self.script) { (server) async throws in
            let batch = try await server.post(
                "/generate",
                #"{"text":["x","yz","w"],"return_logprob":[true,false,true],"logprob_start_len":[0,-1,-1],"top_logprobs_num":[1,0,0],"token_ids_logprob":[null,null,[65]],"sampling_params":{"max_new_tokens":2}}"#
            ).json()
            let infos = batch.elements.compactMap { $0["meta_info"] }
            #expect(infos.map { $0["output_token_logprobs"]?.elements.count } == [2, nil, 2])
            #expect(infos.map { $0["input_token_logprobs"]?.elements.count } == [1, nil, 0])
            #expect(infos.map { $0["output_top_logprobs"] == nil } == [false, true, true])
            #expect(infos.map { $0["output_token_ids_logprobs"] == nil } == [true, true, false])
            let sampling = server.engine.record.submissions.sorted { $0.prompt.count > $1.prompt.count }.map(\.sampling)
            #expect(sampling[0].topLogprobs == nil)
            #expect(Set(sampling[1...].map(\.topLogprobs)) == [1, 0])
            for (body, parameter) in [
                (#"{"text":["x","y"],"return_logprob":[true]}"#, "return_logprob"),
                (#"{"text":["x","y"],"return_logprob":[true,7]}"#, "return_logprob[1]"),
                (#"{"text":["x","y"],"token_ids_logprob":[[1],"a"]}"#, "token_ids_logprob[1]"),
            ] {
                let response = try await server.post("/generate", body)
                #expect(response.status == 400)
                #expect(try response.json()["error"]?["param"]?.string == parameter)
            }
        }
    }

    @Test func cachedTokensAreToldByWhereTheyWere() async throws {
        let script: @Sendable (GenerationRequest) -> ScriptedEngine.Script = { request in
            var script = ScriptedEngine.Script(ids: TinyModel.ids("a"), cachedTokens: 9)
            var report = CacheReport(promptTokens: request.prompt.count, cachedTokens: 9)
            report.tiers = [
                .init(tier: .memory, tokens: 4), .init(tier: .host, tokens: 2), .init(tier: .disk, tokens: 3),
            ]
            script.report = report
            return script
        }
        try await TestServer.run(script: script) { (server) async throws in
            func check(_ details: JSONValue?) {
                #expect(details?["device"]?.int == 4 && details?["host"]?.int == 2)
                #expect(details?["storage"]?.int == 3 && details?["storage_backend"]?.string == "file")
            }
            let chat = #"{"messages":[{"role":"user","content":"Hi, hello there"}]"#
            let completion = #"{"prompt":"Hi, hello there""#
            for (path, body) in [("/v1/chat/completions", chat), ("/v1/completions", completion)] {
                let plain = try await server.post(path, body + "}").json()
                #expect(plain["sglext"] == nil)
                let whole = try await server.post(path, body + #","return_cached_tokens_details":true}"#).json()
                check(whole["sglext"]?["cached_tokens_details"])
                let stream = try await server.post(
                    path,
                    body
                        + #","return_cached_tokens_details":true,"stream":true,"stream_options":{"include_usage":true}}"#
                ).events()
                let extended = stream.filter { $0["sglext"] != nil }
                #expect(extended.count == 1 && extended.first?["choices"]?.elements.isEmpty == true)
                check(extended.first?["sglext"]?["cached_tokens_details"])
                #expect(stream.last?["usage"]?["prompt_tokens_details"]?["cached_tokens"]?.int == 9)
            }
            let native = try await server.post("/generate", #"{"text":"Hi, hello there"}"#).json()
            check(native["meta_info"]?["cached_tokens_details"])
            let events = try await server.post("/generate", #"{"text":"Hi, hello there","stream":true}"#).events()
            check(events.last?["meta_info"]?["cached_tokens_details"])
        }
    }

    @Test func aMissHasNoPlaceInNativeAnswers() async throws {
        try await TestServer.run(script: Self.script) { (server) async throws in
            let native = try await server.post("/generate", #"{"text":"x"}"#).json()
            #expect(native["meta_info"]?["cached_tokens"]?.int == 0)
            #expect(native["meta_info"]?["cached_tokens_details"] == nil)
            let chat = try await server.post(
                "/v1/completions", #"{"prompt":"x","return_cached_tokens_details":true}"#
            ).json()
            #expect(chat["sglext"]?["cached_tokens_details"]?["device"]?.int == 0)
        }
    }

    @Test func anExpressionEndsTheText() async throws {
        try await TestServer.run(script: Self.script) { (server) async throws in
            let native = try await server.post(
                "/generate", #"{"text":"x","sampling_params":{"stop_regex":["[0-9]b","q"]}}"#
            ).json()
            #expect(native["text"]?.string == "a1b")
            #expect(native["meta_info"]?["finish_reason"]?["matched"]?.string == "[0-9]b")
            let chat = try await server.post(
                "/v1/chat/completions",
                #"{"messages":[{"role":"user","content":"x"}],"stop_regex":"\\d","stream":true}"#
            ).events()
            #expect(chat.compactMap { $0["choices"]?[0]?["delta"]?["content"]?.string }.joined() == "a1")
            #expect(chat.compactMap { $0["choices"]?[0]?["matched_stop"]?.string } == [#"\d"#])
            #expect(
                try await server.post("/v1/completions", #"{"prompt":"x","stop_regex":"b"}"#).json()["choices"]?[0]?[
                    "text"]?.string == "a1b")
            #expect(await server.engine.waits { $0.aborted.count + $0.finished.count == 3 })
            for (body, parameter) in [
                (#"{"text":"x","sampling_params":{"stop_regex":"("}}"#, "sampling_params.stop_regex"),
                (#"{"text":"x","sampling_params":{"stop_regex":"(a)\\1"}}"#, "sampling_params.stop_regex"),
                (#"{"text":"x","sampling_params":{"stop_regex":7}}"#, "sampling_params.stop_regex"),
            ] {
                let response = try await server.post("/generate", body)
                #expect(response.status == 400)
                #expect(try response.json()["error"]?["param"]?.string == parameter)
            }
        }
    }
}
