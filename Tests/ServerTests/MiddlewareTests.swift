import EngineInterface
import Server
import TestSupport
import Testing
import WireTypes

struct MiddlewareTests {
    @Test func theKeyIsAskedForEverywhereButHealth() async throws {
        try await TestServer.run(configure: { $0.apiKey = "secret" }) { (server) async throws in
            #expect(try await server.get("/health").status == 200)
            // As with SGLang and vLLM.
            #expect(try await server.get("/metrics").status == 200)
            let headers: [([(String, String)], String)] = [
                ([], "missing_api_key"), ([("Authorization", "Bearer wrong!")], "invalid_api_key"),
                ([("Authorization", "Bearer secre")], "invalid_api_key"),
                ([("Authorization", "secret")], "invalid_api_key"),
                ([("Authorization", "Bearer ")], "invalid_api_key"),
            ]
            for path in ["/v1/models", "/get_model_info", "/flush_cache", "/nothing"] {
                for (header, code) in headers {
                    let response = try await server.get(path, headers: header)
                    #expect(response.status == 401)
                    #expect(response.headers["www-authenticate"] == "Bearer")
                    #expect(try response.json()["error"]?["code"]?.string == code)
                }
            }
            #expect(try await server.get("/v1/models", headers: [("Authorization", "Bearer secret")]).status == 200)
            #expect(try await server.get("/v1/models", headers: [("authorization", "bearer secret")]).status == 200)
        }
    }

    @Test func withoutAKeyAnyIsAccepted() async throws {
        try await TestServer.run { (server) async throws in
            #expect(try await server.get("/v1/models", headers: [("Authorization", "Bearer EMPTY")]).status == 200)
        }
    }

    @Test func everyResponseHasARequestID() async throws {
        try await TestServer.run { (server) async throws in
            let own = try await server.get("/health", headers: [("X-Request-Id", "abc-1")])
            #expect(own.headers["x-request-id"] == "abc-1")
            var seen: Set<String> = []
            for path in ["/health", "/nothing", "/v1/models"] {
                let id = try #require(try await server.get(path).headers["x-request-id"])
                #expect(seen.insert(id).inserted)
            }
            let odd = try await server.get("/health", headers: [("X-Request-Id", String(repeating: "x", count: 300))])
            #expect(odd.headers["x-request-id"]?.hasPrefix("req_") == true)
            let stream = try await server.post(
                "/v1/completions", #"{"prompt":"x","stream":true}"#, headers: [("X-Request-Id", "s")])
            #expect(stream.headers["x-request-id"] == "s")
        }
    }

    @Test func pagesOfAnyOriginMayAsk() async throws {
        let origin = ("Origin", "https://chat.example")
        try await TestServer.run(configure: { $0.apiKey = "k" }) { (server) async throws in
            let preflight = try await server.send(
                "OPTIONS", "/v1/chat/completions",
                headers: [
                    origin, ("Access-Control-Request-Method", "POST"),
                    ("Access-Control-Request-Headers", "authorization"),
                ])
            #expect(preflight.status == 204)
            #expect(preflight.headers["access-control-allow-origin"] == "*")
            #expect(preflight.headers["access-control-allow-headers"] == "authorization")
            #expect(preflight.headers["access-control-allow-methods"]?.contains("POST") == true)
            let refused = try await server.get("/v1/models", headers: [origin])
            #expect(refused.status == 401 && refused.headers["access-control-allow-origin"] == "*")
        }
        try await TestServer.run(configure: { $0.allowedOrigins = ["https://other.example"] }) {
            (server) async throws in
            #expect(try await server.get("/health", headers: [origin]).headers["access-control-allow-origin"] == nil)
        }
    }

    @Test func onlyTheListedOriginsMayAsk() async throws {
        try await TestServer.run(configure: { $0.allowedOrigins = ["https://a.example", "https://b.example"] }) {
            (server) async throws in
            let known = try await server.get("/health", headers: [("Origin", "https://b.example")])
            #expect(known.headers["access-control-allow-origin"] == "https://b.example")
            #expect(known.headers["vary"] == "origin")
            let other = try await server.get("/health", headers: [("Origin", "https://c.example")])
            #expect(other.headers["access-control-allow-origin"] == nil)
        }
    }

    @Test func theTraceOfTheClientIsInTheLog() async throws {
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        try await TestServer.run(configure: { $0.logsRequests = true }) { (server) async throws in
            _ = try await server.post("/v1/completions", #"{"prompt":"x"}"#, headers: [("traceparent", trace)])
            _ = try await server.get("/livez", headers: [("traceparent", "00-zz-1-01")])
            #expect(await server.engine.waits { _ in server.logs.lines.count { $0.hasPrefix("request ") } == 2 })
            #expect(server.logs.lines.count { $0.contains("traceparent=") } == 1)
            #expect(server.logs.lines.contains { $0.contains("traceparent=\(trace)") })
        }
    }

    @Test func theRequestLogHasSizesButNoText() async throws {
        try await TestServer.run(configure: { $0.logsRequests = true }) { (server) async throws in
            for stream in [false, true] {
                _ = try await server.post(
                    "/v1/completions", #"{"prompt":"private words","stream":\#(stream)}"#,
                    headers: [("X-Request-Id", "id\(stream)")])
            }
            #expect(await server.engine.waits { _ in server.logs.lines.count { $0.hasPrefix("request ") } == 2 })
            for line in server.logs.lines where line.hasPrefix("request ") {
                for part in [
                    "status=200", "prompt_tokens=13", "completion_tokens=2", "cached_tokens=0", "ms=", "ttft_ms=",
                    "path=/v1/completions",
                ] {
                    #expect(line.contains(part), "\(line)")
                }
            }
            #expect(!server.logs.lines.contains { $0.contains("private") })
        }
        try await TestServer.run(configure: {
            $0.logsRequests = true; $0.requestLogLevel = 2
        }) { (server) async throws in
            _ = try await server.post("/v1/completions", #"{"prompt":"private words"}"#)
            #expect(await server.engine.waits { _ in server.logs.lines.contains { $0.contains("private words") } })
        }
    }
}
