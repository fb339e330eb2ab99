import EngineInterface
import Server
import TestSupport
import Testing
import WireTypes

/// What HTTP/1 itself promises, for clients that are not the usual ones.
struct HTTPConformanceTests {
    private static let body = Array(#"{"prompt":"x"}"#.utf8)

    /// curl waits a second for it before it sends a large body.
    @Test func whoAsksBeforeSendingIsToldToSend() async throws {
        try await TestServer.run { (server) async throws in
            let connection = try await server.connect()
            for _ in 0..<2 {
                try await connection.send(
                    "POST /v1/completions HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: "
                        + "\(Self.body.count)\r\n\r\n")
                #expect(try await connection.response().status == 100)
                try await connection.send(Self.body)
                #expect(try await connection.response().status == 200)
            }
        }
    }

    @Test func whoAsksForTooMuchIsToldNotTo() async throws {
        try await TestServer.run(configure: { $0.maxBodyBytes = 10 }) { (server) async throws in
            let connection = try await server.connect()
            try await connection.send(
                "POST /v1/completions HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n")
            let response = try await connection.response()
            #expect(response.status == 413)
        }
    }

    /// They know no chunks, and read until the connection ends.
    @Test(arguments: [false, true])
    func clientsOfHTTP10CanReadTheAnswer(stream: Bool) async throws {
        try await TestServer.run { (server) async throws in
            let connection = try await server.connect()
            let body = Array(#"{"prompt":"x","stream":\#(stream)}"#.utf8)
            try await connection.send(
                Array("POST /v1/completions HTTP/1.0\r\nContent-Length: \(body.count)\r\n\r\n".utf8) + body)
            try await connection.waitForClose()
            let text = connection.received
            #expect(text.hasPrefix("HTTP/1.0 200 OK\r\n"))
            #expect(!text.lowercased().contains("transfer-encoding"))
            #expect(stream ? text.hasSuffix("data: [DONE]\n\n") : text.hasSuffix("}"), "\(text)")
        }
    }

    @Test func whatIsNoHTTPGetsAnErrorLikeAllOthers() async throws {
        let long = String(repeating: "a", count: 100_000)
        try await TestServer.run { (server) async throws in
            for (request, status, code) in [
                ("GET /health HTTP/1.1\r\nHost: t\r\nX Y: 1\r\n\r\n", 400, "invalid_http"),
                ("GET /health HTTP/1.1\r\nHost: t\r\nX: \(long)\r\n\r\n", 431, "headers_too_large"),
                (
                    "POST /v1/completions HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400,
                    "invalid_http"
                ),
            ] {
                let connection = try await server.connect()
                try await connection.send(request)
                let response = try await connection.response()
                #expect(response.status == status)
                #expect(response.headers["x-request-id"]?.isEmpty == false)
                #expect(try response.json()["error"]?["code"]?.string == code, "\(response.text)")
                try await connection.waitForClose()
            }
            #expect(try await server.get("/health").status == 200)
        }
    }

    @Test(arguments: ["close", "Close", "keep-alive, CLOSE"])
    func theConnectionIsClosedForWhoAsks(value: String) async throws {
        try await TestServer.run { (server) async throws in
            let connection = try await server.connect()
            try await connection.send("GET", "/health", headers: [("Connection", value)])
            let response = try await connection.response()
            #expect(response.status == 200 && response.headers["connection"] == "close")
            try await connection.waitForClose()
        }
    }

    /// What was asked before is answered before.
    @Test func aPipelineIsAnsweredToItsEnd() async throws {
        try await TestServer.run { (server) async throws in
            let connection = try await server.connect()
            let body = #"{"prompt":"x"}"#
            let head = "POST /v1/completions HTTP/1.1\r\nHost: t\r\nContent-Length: \(body.utf8.count)\r\n"
            try await connection.send(
                head + "\r\n" + body + head + "\r\n" + body + head + "Connection: close\r\n\r\n" + body)
            for last in [false, false, true] {
                let response = try await connection.response()
                #expect(response.status == 200)
                #expect((response.headers["connection"] == "close") == last)
            }
            try await connection.waitForClose()
        }
    }

    /// A body would be read as the beginning of the next answer.
    @Test func answersToHEADHaveNoBody() async throws {
        try await TestServer.run { (server) async throws in
            let connection = try await server.connect()
            for (path, status) in [("/health", 200), ("/v1/completions", 405), ("/nothing", 404)] {
                try await connection.send("HEAD", path)
                #expect(try await connection.response(toHead: true).status == status)
            }
            try await connection.send("GET", "/version")
            #expect(try await connection.response().text.contains("1.2.3"))
        }
    }
}
