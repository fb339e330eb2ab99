import EngineInterface
import Server
import TestSupport
import Testing
import WireTypes

struct ErrorTests {
    private struct Case: Sendable, CustomTestStringConvertible {
        var path: String
        var body: String
        var status: Int
        var parameter: String?
        var code: String
        var testDescription: String { path + " " + body }

        init(_ path: String, _ body: String, _ status: Int, _ parameter: String?, _ code: String) {
            self.path = path
            self.body = body
            self.status = status
            self.parameter = parameter
            self.code = code
        }
    }

    private static let long = String(repeating: "x", count: 300)
    private static let chat = "/v1/chat/completions"
    private static let user = #""messages":[{"role":"user","content":"x"}]"#

    @Test func everyMistakeHasItsStatusParameterAndCode() async throws {
        let cases = [
            Case(Self.chat, "{", 400, nil, "invalid_json"), Case(Self.chat, "", 400, nil, "invalid_json"),
            Case(Self.chat, "[]", 400, nil, "invalid_value"),
            Case(Self.chat, "{}", 400, "messages", "missing_required_parameter"),
            Case(Self.chat, #"{"messages":[{"role":"user","content":7}]}"#, 400, "messages[0].content", "invalid_type"),
            Case(Self.chat, #"{\#(Self.user),"model":"gpt-4"}"#, 404, "model", "model_not_found"),
            Case(Self.chat, #"{\#(Self.user),"temperature":-1}"#, 400, "temperature", "invalid_value"),
            Case(Self.chat, #"{\#(Self.user),"temperature":1e300}"#, 400, "temperature", "invalid_value"),
            Case(Self.chat, #"{\#(Self.user),"top_p":2}"#, 400, "top_p", "invalid_value"),
            Case(
                Self.chat, #"{\#(Self.user),"max_completion_tokens":0}"#, 400, "max_completion_tokens", "invalid_value"),
            Case(Self.chat, #"{\#(Self.user),"max_tokens":500}"#, 400, "messages", "context_length_exceeded"),
            Case(Self.chat, #"{\#(Self.user),"logit_bias":{"900":1}}"#, 400, "logit_bias", "invalid_value"),
            Case(Self.chat, #"{\#(Self.user),"tools":[{}]}"#, 400, "tools[0].function", "missing_required_parameter"),
            Case(
                Self.chat, #"{\#(Self.user),"logprobs":true,"top_logprobs":50}"#, 400, "top_logprobs", "invalid_value"),
            Case(
                Self.chat,
                #"{"messages":[{"role":"tool","content":"x"}],"chat_template_kwargs":{"no_tools":true}}"#, 400,
                "messages", "chat_template_error"),
            Case("/v1/completions", #"{"prompt":""}"#, 400, "prompt", "empty_prompt"),
            Case("/v1/completions", #"{"prompt":[259]}"#, 400, "prompt", "invalid_value"),
            Case("/v1/completions", #"{"prompt":"\#(Self.long)"}"#, 400, "prompt", "context_length_exceeded"),
            Case("/v1/completions", #"{"prompt":"x","logprobs":50}"#, 400, "logprobs", "invalid_value"),
            Case("/v1/completions", #"{"prompt":"x","stop":{}}"#, 400, "stop", "invalid_type"),
            Case("/generate", "{}", 400, "text", "missing_required_parameter"),
            Case(
                "/generate", #"{"text":"x","sampling_params":{"max_new_tokens":-1}}"#, 400,
                "sampling_params.max_new_tokens", "invalid_value"),
            Case(
                "/generate", #"{"text":"x","sampling_params":{"top_p":9}}"#, 400, "sampling_params.top_p",
                "invalid_value"),
            Case("/generate", #"{"input_ids":[]}"#, 400, "input_ids", "empty_prompt"),
            Case(
                "/generate", #"{"text":"x","return_logprob":true,"token_ids_logprob":[900]}"#, 400, "token_ids_logprob",
                "invalid_value"),
            Case(
                "/generate", #"{"text":"x","return_logprob":true,"top_logprobs_num":50}"#, 400, "top_logprobs_num",
                "invalid_value"),
        ]
        try await TestServer.run { (server) async throws in
            for each in cases {
                for stream in [false, true] {
                    var body = each.body
                    if stream, body.hasSuffix("}"), body != "{}" { body = body.dropLast() + #","stream":true}"# }
                    let response = try await server.post(each.path, body)
                    #expect(response.status == each.status, "\(each.testDescription) \(response.text)")
                    let error = try response.json()["error"]
                    #expect(error?["param"]?.string == each.parameter, "\(each.testDescription) \(response.text)")
                    #expect(error?["code"]?.string == each.code, "\(each.testDescription) \(response.text)")
                    #expect(error?["message"]?.string?.isEmpty == false)
                    #expect(response.headers["x-request-id"] != nil)
                }
            }
            #expect(server.engine.record.submissions.isEmpty)
            #expect(try await server.get("/health").status == 200)
        }
    }

    @Test func contextOverflowSaysBothNumbers() async throws {
        try await TestServer.run { (server) async throws in
            let response = try await server.post("/v1/completions", #"{"prompt":"\#(Self.long)","max_tokens":5}"#)
            let error = try #require(try response.json()["error"])
            #expect(error["n_prompt_tokens"]?.int == 300 && error["n_ctx"]?.int == 200)
            #expect(error["message"]?.string?.contains("300") == true)
            #expect(error["message"]?.string?.contains("200") == true)
        }
    }

    @Test func anUnknownModelIsToldWhatIsServed() async throws {
        try await TestServer.run { (server) async throws in
            let error = try await server.post(Self.chat, #"{\#(Self.user),"model":"gpt-4"}"#).json()["error"]
            #expect(error?["message"]?.string?.contains("'tiny', 'org/tiny'") == true)
            #expect(try await server.post(Self.chat, #"{\#(Self.user),"model":"default"}"#).status == 200)
        }
        try await TestServer.run(configure: { $0.acceptsAnyModel = true }) { (server) async throws in
            let json = try await server.post(Self.chat, #"{\#(Self.user),"model":"gpt-4"}"#).json()
            #expect(json["model"]?.string == "gpt-4")
        }
    }

    @Test func unknownPathsAndMethods() async throws {
        try await TestServer.run { (server) async throws in
            let missing = try await server.get("/v1/nothing")
            #expect(missing.status == 404)
            #expect(try missing.json()["error"]?["code"]?.string == "unknown_url")
            let wrong = try await server.get(Self.chat)
            #expect(wrong.status == 405)
            #expect(wrong.headers["allow"] == "POST")
            #expect(try wrong.json()["error"]?["code"]?.string == "method_not_allowed")
        }
    }

    @Test(arguments: [
        (RequestError.queueFull(limit: 3), 429, "queue_full"), (.shuttingDown, 503, "shutting_down"),
        (.engineFailed("x"), 500, "engine_failed"), (.duplicateID("x"), 400, "duplicate_id"),
        (.poolTooSmall(promptTokens: 9, poolTokens: 8), 400, "context_length_exceeded"),
    ])
    func refusalsOfTheEngineHaveTheirStatus(refusal: RequestError, status: Int, code: String) async throws {
        try await TestServer.run(script: { _ in
            var script = ScriptedEngine.Script(ids: [65])
            script.refusal = refusal
            return script
        }) { (server) async throws in
            for body in [#"{"prompt":"x"}"#, #"{"prompt":"x","stream":true}"#] {
                let response = try await server.post("/v1/completions", body)
                #expect(response.status == status)
                #expect(try response.json()["error"]?["code"]?.string == code)
                #expect((response.headers["retry-after"] != nil) == (status == 429 || status == 503))
            }
        }
    }

    @Test func aRefusedSiblingAbortsTheOthers() async throws {
        try await TestServer.run(script: { request in
            var script = ScriptedEngine.Script(ids: [65], pace: .gated)
            if request.id.hasSuffix("-2") { script.refusal = .queueFull(limit: 2) }
            return script
        }) { (server) async throws in
            #expect(try await server.post("/v1/completions", #"{"prompt":"x","n":3}"#).status == 429)
            #expect(await server.engine.waits { $0.aborted.count == 2 })
            #expect(server.engine.liveCount == 0)
        }
    }

    @Test func aModelWithoutTemplateRefusesChat() async throws {
        try await TestServer.run(template: nil) { (server) async throws in
            let response = try await server.post(Self.chat, "{\(Self.user)}")
            #expect(response.status == 400)
            #expect(try response.json()["error"]?["code"]?.string == "no_chat_template")
        }
    }

    @Test func nothingIsServedWhileLoading() async throws {
        try await TestServer.run(isReady: false) { (server) async throws in
            for path in ["/health", "/health_generate", "/v1/models", "/get_model_info", "/server_info"] {
                let response = try await server.get(path)
                #expect(response.status == 503, "\(path)")
                #expect(try response.json()["error"]?["code"]?.string == "model_loading")
                #expect(response.headers["retry-after"] == "1")
            }
            #expect(try await server.post(Self.chat, "{\(Self.user)}").status == 503)
            server.model.fail("tensor x is missing")
            let failed = try await server.get("/health")
            #expect(failed.status == 503)
            #expect(failed.text.contains("tensor x is missing"))
        }
    }

    @Test func largeBodiesAreRefused() async throws {
        try await TestServer.run(configure: { $0.maxBodyBytes = 1000 }) { (server) async throws in
            let response = try await server.post(
                "/v1/completions", #"{"prompt":"\#(String(repeating: "y", count: 5000))"}"#)
            #expect(response.status == 413)
            #expect(try response.json()["error"]?["code"]?.string == "request_too_large")
            // Without a length the limit is found while reading.
            let connection = try await server.connect()
            // In one piece: the server may close as soon as it has seen too much.
            let chunk = "40\r\n" + String(repeating: "z", count: 64) + "\r\n"
            try await connection.send(
                "POST /v1/completions HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + String(repeating: chunk, count: 30))
            #expect(try await connection.response().status == 413)
            try await connection.waitForClose()
            #expect(try await server.post("/v1/completions", #"{"prompt":"y"}"#).status == 200)
        }
    }

    @Test func aBodyThatNeverArrivesIsGivenUp() async throws {
        try await TestServer.run(configure: { $0.bodyTimeout = .milliseconds(100) }) { (server) async throws in
            let connection = try await server.connect()
            try await connection.send("POST /v1/completions HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\n{")
            #expect(try await connection.response().status == 408)
        }
    }

    @Test func compressedBodiesAreRefused() async throws {
        try await TestServer.run { (server) async throws in
            let response = try await server.post("/v1/completions", "{}", headers: [("Content-Encoding", "gzip")])
            #expect(response.status == 415)
        }
    }

    @Test func openRequestsAreLimited() async throws {
        try await TestServer.run(
            configure: { $0.maxConcurrentRequests = 1 },
            script: { _ in
                .init(ids: [65], pace: .gated)
            }
        ) { (server) async throws in
            let first = try await server.connect()
            try await first.send("POST", "/generate", body: Array(#"{"text":"x","rid":"a"}"#.utf8))
            #expect(await server.engine.waits { $0.submissions.count == 1 })
            let refused = try await server.post("/generate", #"{"text":"y"}"#)
            #expect(refused.status == 429)
            #expect(refused.headers["retry-after"] == "1")
            server.engine.release(1, of: "a")
            #expect(try await first.response().status == 200)
            async let second = server.post("/generate", #"{"text":"y","rid":"b"}"#)
            #expect(await server.engine.waits { $0.submissions.count == 2 })
            server.engine.release(1, of: "b")
            #expect(try await second.status == 200)
        }
    }

    /// Damaged bodies are refused with a 4xx, or are still valid requests; the server goes on serving.
    @Test func mutatedBodiesDoNotHurt() async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        let originals = [
            (Self.chat, #"{"model":"tiny",\#(Self.user),"temperature":0.5,"stop":["a"],"logit_bias":{"5":1},"n":1}"#),
            ("/v1/completions", #"{"prompt":["ab",[1,2]],"max_tokens":3,"echo":true,"stream":true}"#),
            ("/generate", #"{"text":"ab","sampling_params":{"max_new_tokens":3,"stop":["x"]},"rid":"q"}"#),
            ("/v1/responses", #"{"input":[{"role":"user","content":"x"}],"max_output_tokens":3,"stream":true}"#),
            ("/v1/messages", #"{"max_tokens":3,"messages":[{"role":"user","content":[{"type":"text","text":"x"}]}]}"#),
            ("/api/chat", #"{"messages":[{"role":"user","content":"x"}],"options":{"num_predict":3}}"#),
            ("/tokenize", #"{"prompt":["a","b"]}"#),
            ("/v1/score", #"{"query":"a","items":["b"],"label_token_ids":[5]}"#),
            ("/open_session", #"{"session_id":"s","capacity_of_str_len":9}"#),
        ]
        try await TestServer.run { (server) async throws in
            var generator = SeededGenerator(seed: seed)
            let connection = try await server.connect()
            for round in 0..<1000 {
                let (path, text) = originals[round % originals.count]
                var body = Array(text.utf8)
                for _ in 0..<Int.random(in: 1...3, using: &generator) where !body.isEmpty {
                    let position = Int.random(in: 0..<body.count, using: &generator)
                    switch Int.random(in: 0..<5, using: &generator) {
                    case 0: body[position] = UInt8.random(in: 0...255, using: &generator)
                    case 1: body.removeSubrange(position..<min(body.count, position + 3))
                    case 2: body.insert(contentsOf: Array(#"{"a":["#.utf8), at: position)
                    case 3: body.insert(contentsOf: Array("99999999999999999999".utf8), at: position)
                    default: body = Array(body.prefix(position + 1))
                    }
                }
                try await connection.send("POST", path, body: body)
                let response = try await connection.response()
                #expect(
                    response.status == 200 || (400..<500).contains(response.status),
                    "seed \(seed) \(response.status) \(String(decoding: body, as: UTF8.self))")
            }
            #expect(try await server.post("/generate", #"{"text":"ab"}"#).status == 200)
            #expect(await server.engine.waits { _ in server.engine.liveCount == 0 })
        }
    }
}
