import FoundationEssentials
import Server
import TestSupport
import Testing
import WireTypes

/// Keys in a file: names, rates, changes while the server runs.
struct APIKeysTests {
    private static func file(_ text: String) throws -> String {
        let path = "/tmp/radish-keys-\(UInt64.random(in: 0 ... .max)).txt"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    private static func bearer(_ key: String) -> [(String, String)] { [("Authorization", "Bearer \(key)")] }

    @Test func keysHaveNamesAndRates() async throws {
        let path = try Self.file("# who may\nsk-a  alice\nsk-b  bob  2   # two a minute\n\n")
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await TestServer.run(configure: {
            $0.apiKeyFile = path
            $0.apiKey = "sk-main"
            $0.logsRequests = true
        }) { (server) async throws in
            for key in ["sk-a", "sk-main"] {
                for _ in 0..<4 {
                    #expect(try await server.get("/v1/models", headers: Self.bearer(key)).status == 200)
                }
            }
            #expect(try await server.get("/v1/models", headers: Self.bearer("sk-c")).status == 401)
            var answers: [Int] = []
            for _ in 0..<3 { answers.append(try await server.get("/v1/models", headers: Self.bearer("sk-b")).status) }
            #expect(answers == [200, 200, 429])
            let refused = try await server.get("/v1/models", headers: Self.bearer("sk-b"))
            #expect(try refused.json()["error"]?["code"]?.string == "rate_limit_exceeded")
            let wait = try #require(refused.headers["retry-after"].flatMap { Int($0) })
            #expect((1...31).contains(wait))
            #expect(await server.engine.waits { _ in server.logs.lines.contains { $0.contains("key=alice") } })
            #expect(!server.logs.lines.contains { $0.contains("sk-a") })
        }
    }

    @Test func aChangedFileIsReadAgain() async throws {
        let path = try Self.file("old first\n")
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await TestServer.run(configure: { $0.apiKeyFile = path }) { (server) async throws in
            func status(_ key: String) async throws -> Int {
                try await server.get("/v1/models", headers: Self.bearer(key)).status
            }
            #expect(try await status("old") == 200)
            try "new second\n".write(toFile: path, atomically: true, encoding: .utf8)
            let deadline = ContinuousClock.now + .seconds(60)
            while try await status("new") != 200, ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(100))
            }
            #expect(try await status("new") == 200)
            #expect(try await status("old") == 401)
            // A damaged file takes nobody's key away.
            try "new second many\n".write(toFile: path, atomically: true, encoding: .utf8)
            while !server.logs.lines.contains(where: { $0.contains("is not used") }), ContinuousClock.now < deadline {
                _ = try await status("new")
                try await Task.sleep(for: .milliseconds(100))
            }
            #expect(server.logs.lines.contains { $0.contains("is not used") })
            #expect(try await status("new") == 200)
        }
    }

    @Test func aFileThatCannotBeUsedStopsTheStart() async throws {
        let path = try Self.file("# nobody\n")
        defer { try? FileManager.default.removeItem(atPath: path) }
        for bad in [path, "/nowhere/keys"] {
            await #expect(throws: ServerError.self) {
                try await TestServer.run(configure: { $0.apiKeyFile = bad }) { _ in }
            }
        }
        await #expect(throws: ServerError.self) {
            try await TestServer.run(configure: {
                $0.transportSecurity = TransportSecurity(certificatePath: path, keyPath: path)
            }) { _ in }
        }
    }
}
