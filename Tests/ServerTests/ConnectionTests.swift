import EngineInterface
import Server
import TestSupport
import Testing
import WireTypes

/// What happens when clients go away, wait, read slowly, or when the server has to go.
struct ConnectionTests {
    private static let gated: @Sendable (GenerationRequest) -> ScriptedEngine.Script = { _ in
        .init(ids: TinyModel.ids("abcdef"), pace: .gated)
    }

    private static func body(_ id: String, stream: Bool) -> [UInt8] {
        Array(#"{"prompt":"x","rid":"\#(id)","stream":\#(stream)}"#.utf8)
    }

    @Test func aClientThatLeavesAStreamAbortsIt() async throws {
        try await TestServer.run(script: Self.gated) { (server) async throws in
            let connection = try await server.connect()
            try await connection.send("POST", "/v1/completions", body: Self.body("a", stream: true))
            #expect(await server.engine.waits { $0.submissions.count == 1 })
            server.engine.release(2, of: "a")
            try await connection.wait(for: #""text":"#)
            await connection.close()
            #expect(await server.engine.waits { $0.aborted == ["a"] })
            #expect(server.engine.liveCount == 0)
        }
    }

    @Test func aClientThatLeavesWhileItWaitsForTheWholeAnswerAbortsIt() async throws {
        try await TestServer.run(script: Self.gated) { (server) async throws in
            let connection = try await server.connect()
            try await connection.send("POST", "/v1/completions", body: Self.body("a", stream: false))
            #expect(await server.engine.waits { $0.submissions.count == 1 })
            server.engine.release(2, of: "a")
            await connection.close()
            #expect(await server.engine.waits { $0.aborted == ["a"] })
        }
    }

    @Test(arguments: [false, true])
    func aClientThatLeavesTheQueueAbortsItsRequest(stream: Bool) async throws {
        try await TestServer.run(script: Self.gated) { (server) async throws in
            let connection = try await server.connect()
            try await connection.send("POST", "/v1/completions", body: Self.body("a", stream: stream))
            #expect(await server.engine.waits { $0.submissions.count == 1 })
            await connection.close()
            #expect(await server.engine.waits { $0.aborted == ["a"] })
        }
    }

    @Test func leavingAbortsEveryChoice() async throws {
        try await TestServer.run(script: Self.gated) { (server) async throws in
            let connection = try await server.connect()
            try await connection.send(
                "POST", "/v1/completions", body: Array(#"{"prompt":["x","y"],"n":2,"rid":"a","stream":true}"#.utf8))
            #expect(await server.engine.waits { $0.submissions.count == 4 })
            server.engine.release(.max, of: "a-1")
            await connection.close()
            #expect(await server.engine.waits { Set($0.aborted) == ["a-0", "a-2", "a-3"] })
        }
    }

    @Test func theLogCallsADepartedClient499() async throws {
        try await TestServer.run(configure: { $0.logsRequests = true }, script: Self.gated) { (server) async throws in
            for (id, stream) in [("a", false), ("b", true)] {
                let connection = try await server.connect()
                try await connection.send("POST", "/v1/completions", body: Self.body(id, stream: stream))
                #expect(await server.engine.waits { $0.submissions.contains { $0.id == id } })
                await connection.close()
                #expect(await server.engine.waits { $0.aborted.contains(id) })
            }
            #expect(await server.engine.waits { _ in server.logs.lines.count { $0.contains("status=499") } == 2 })
        }
    }

    @Test func oneConnectionServesManyRequests() async throws {
        try await TestServer.run { (server) async throws in
            let connection = try await server.connect()
            for stream in [false, true, true, false] {
                try await connection.send(
                    "POST", "/v1/completions", body: Array(#"{"prompt":"x","stream":\#(stream)}"#.utf8))
                let response = try await connection.response()
                #expect(response.status == 200)
                #expect(response.headers["connection"] != "close")
            }
            try await connection.send("GET", "/health")
            try await connection.send("GET", "/version")
            #expect(try await connection.response().text.contains("ready"))
            #expect(try await connection.response().text.contains("1.2.3"))
        }
    }

    @Test func silentStreamsGetComments() async throws {
        try await TestServer.run(configure: { $0.keepAliveInterval = .milliseconds(20) }, script: Self.gated) {
            (server) async throws in
            let connection = try await server.connect()
            try await connection.send("POST", "/v1/completions", body: Self.body("a", stream: true))
            try await connection.wait(for: ": keep-alive\n\n")
            server.engine.release(.max, of: "a")
            let response = try await connection.response()
            #expect(try response.events().compactMap { $0["choices"]?[0]?["text"]?.string }.joined() == "abcdef")
        }
    }

    /// A client that does not read gets everything in the end. What the sockets' buffers took (some 15,000 chunks)
    /// came token by token; what waited behind them was joined.
    @Test func slowReadersGetTheWholeTextInLargerPieces() async throws {
        let count = 60_000
        let script: @Sendable (GenerationRequest) -> ScriptedEngine.Script = { _ in
            .init(ids: Array(repeating: 97, count: count), pace: .gated)
        }
        try await TestServer.run(script: script) { (server) async throws in
            let connection = try await server.connect(reads: false)
            try await connection.send(
                "POST", "/v1/chat/completions",
                body: Array(#"{"messages":[{"role":"user","content":"x"}],"rid":"a","stream":true}"#.utf8))
            #expect(await server.engine.waits { $0.submissions.count == 1 })
            for _ in 0..<600 {
                server.engine.release(count / 600, of: "a")
                try await Task.sleep(for: .milliseconds(1))
            }
            #expect(await server.engine.waits { $0.finished == ["a"] })
            try await connection.startReading()
            let response = try await connection.response()
            let events = try response.events()
            let text = events.compactMap { $0["choices"]?[0]?["delta"]?["content"]?.string }.joined()
            #expect(text.utf8.count == count)
            #expect(events.count < count / 2)
        }
    }

    @Test func shutdownLetsARunningStreamFinish() async throws {
        try await TestServer.run(script: Self.gated) { (server) async throws in
            let connection = try await server.connect()
            try await connection.send("POST", "/v1/completions", body: Self.body("a", stream: true))
            #expect(await server.engine.waits { $0.submissions.count == 1 })
            server.engine.release(2, of: "a")
            try await connection.wait(for: #""text":"#)
            let idle = try await server.connect()
            try await idle.send("GET", "/health")
            #expect(try await idle.response().status == 200)

            await server.shutDown()
            try await idle.waitForClose()
            // What was paused may end too.
            #expect(server.engine.record.resumes == 1)
            // Nobody new is let in.
            await #expect(throws: (any Error).self) { try await server.get("/health") }
            #expect(server.engine.liveCount == 1)
            server.engine.release(.max, of: "a")
            let response = try await connection.response()
            #expect(response.text.hasSuffix("data: [DONE]\n\n"))
            #expect(try response.events().compactMap { $0["choices"]?[0]?["text"]?.string }.joined() == "abcdef")
            try await connection.waitForClose()
        }
    }

    @Test func shutdownCutsWhatTakesTooLong() async throws {
        try await TestServer.run(configure: { $0.drainTimeout = .milliseconds(50) }, script: Self.gated) {
            (server) async throws in
            let connection = try await server.connect()
            try await connection.send("POST", "/v1/completions", body: Self.body("a", stream: true))
            #expect(await server.engine.waits { $0.submissions.count == 1 })
            await server.shutDown()
            let response = try await connection.response()
            #expect(try response.events().last?["choices"]?[0]?["finish_reason"]?.string == "abort")
            #expect(server.engine.record.aborted == ["a"])
        }
    }

    @Test func idleConnectionsAreClosed() async throws {
        try await TestServer.run(configure: { $0.idleTimeout = .milliseconds(100) }) { (server) async throws in
            let silent = try await server.connect()
            let slow = try await server.connect()
            // On a busy machine it may be closed already, which is what is asked for.
            try? await slow.send("POST /v1/completions HTTP/1.1\r\nHost: t\r\nX-Slow: ")
            try await silent.waitForClose()
            try await slow.waitForClose()
        }
    }

    @Test func whatIsNoHTTPIsClosed() async throws {
        try await TestServer.run { (server) async throws in
            let connection = try await server.connect()
            try await connection.send("\u{16}\u{3}\u{1} this is no request\r\n\r\n")
            try await connection.waitForClose()
            #expect(try await server.get("/health").status == 200)
        }
    }

    @Test func aPortInUseIsSaidPlainly() async throws {
        try await TestServer.run { (server) async throws in
            let port = server.port
            await #expect {
                try await TestServer.run(configure: { $0.port = port }) { _ in }
            } throws: { "\($0)".contains("cannotListen") }
        }
    }
}
