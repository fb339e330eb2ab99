import Server
import TestSupport
import Testing
import WireTypes

/// The page at `/` and the description of the API.
struct PageTests {
    @Test func thePageAndItsPartsAreServed() async throws {
        try await TestServer.run(configure: { $0.apiKey = "k" }) { (server) async throws in
            for (path, type, content) in [
                ("/", "text/html; charset=utf-8", "<title>Radish</title>"),
                ("/page.css", "text/css; charset=utf-8", "prefers-color-scheme"),
                ("/page.js", "text/javascript; charset=utf-8", "/v1/chat/completions"),
            ] {
                let response = try await server.get(path)
                #expect(response.status == 200)
                #expect(response.headers["content-type"] == type)
                #expect(response.headers["content-security-policy"]?.contains("default-src 'self'") == true)
                #expect(response.text.contains(content), "\(path)")
            }
            #expect(try await server.send("HEAD", "/").status == 200)
        }
    }

    /// Whatever the description promises is there, with these methods.
    @Test func theDescribedPathsAreRoutes() async throws {
        try await TestServer.run { (server) async throws in
            let json = try await server.get("/openapi.json").json()
            guard case .object(let paths)? = json["paths"] else {
                Issue.record("no paths")
                return
            }
            #expect(paths.members.count > 25)
            for path in paths.members {
                guard case .object(let operations) = path.value else { continue }
                for operation in operations.members {
                    let response = try await server.send(operation.name.uppercased(), path.name, "")
                    #expect(response.status != 404 && response.status != 405, "\(operation.name) \(path.name)")
                }
            }
        }
    }
}
