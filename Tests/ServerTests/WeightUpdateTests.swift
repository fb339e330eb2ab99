import EngineInterface
import Server
import Synchronization
import TestSupport
import Testing
import TextGeneration
import WireTypes

/// `/update_weights_from_disk`: one model for another while the server stays.
struct WeightUpdateTests {
    /// Answers with what the test wants and remembers how it was asked.
    private final class Loader: WeightLoader {
        let paths = Mutex([String]())
        let result: @Sendable () -> WeightUpdate

        init(_ result: @escaping @Sendable () -> WeightUpdate) { self.result = result }

        func objection(to path: String) -> String? { path == "nowhere" ? "nowhere: no such directory." : nil }

        func load(_ path: String) async -> WeightUpdate {
            paths.withLock { $0.append(path) }
            return result()
        }
    }

    private static func engine(saying text: String) throws -> TextEngine {
        TextEngine(
            engine: ScriptedEngine(information: TinyModel.information, statistics: EngineStatistics()) { _ in
                .init(ids: TinyModel.ids(text))
            }, assets: try TinyModel.assets())
    }

    private static func text(_ server: TestServer) async throws -> String? {
        try await server.post("/generate", #"{"text":"x"}"#).json()["text"]?.string
    }

    @Test func theNewModelAnswersFromThenOn() async throws {
        let other = try Self.engine(saying: "new")
        try await TestServer.run { (server) async throws in
            let loader = Loader { .loaded(other) }
            server.model.allowUpdates(by: loader)
            #expect(try await Self.text(server) == "hi")
            let answer = try await server.post("/update_weights_from_disk", #"{"model_path":"dir"}"#)
            #expect(answer.status == 200)
            #expect(try answer.json()["success"] == .bool(true))
            #expect(loader.paths.withLock { $0 } == ["dir"])
            #expect(try await Self.text(server) == "new")
        }
    }

    @Test func whatCannotBeServedChangesNothing() async throws {
        let again = try Self.engine(saying: "hi")
        try await TestServer.run { (server) async throws in
            let loader = Loader { .kept(again, reason: "broken.") }
            server.model.allowUpdates(by: loader)
            for (body, parameter) in [(#"{"model_path":"nowhere"}"#, "model_path"), ("{}", "model_path")] {
                let refused = try await server.post("/update_weights_from_disk", body)
                #expect(refused.status == 400)
                #expect(try refused.json()["error"]?["param"]?.string == parameter)
            }
            #expect(loader.paths.withLock { $0 } == [])
            let failed = try await server.post("/update_weights_from_disk", #"{"model_path":"dir"}"#)
            #expect(failed.status == 400)
            #expect(try failed.json()["success"] == .bool(false))
            #expect(try await Self.text(server) == "hi")
        }
    }

    @Test func withoutAnyModelTheServerSaysSo() async throws {
        try await TestServer.run { (server) async throws in
            server.model.allowUpdates(by: Loader { .lost(reason: "Both are gone.") })
            #expect(try await server.post("/update_weights_from_disk", #"{"model_path":"dir"}"#).status == 503)
            #expect(try await server.post("/generate", #"{"text":"x"}"#).status == 503)
            #expect(try await server.get("/livez").status == 200)
        }
    }

    @Test func openRequestsAreEndedWhereThatIsWanted() async throws {
        let other = try Self.engine(saying: "new")
        let gated: @Sendable (GenerationRequest) -> ScriptedEngine.Script = { _ in
            .init(ids: TinyModel.ids("abc"), pace: .gated)
        }
        try await TestServer.run(script: gated) { (server) async throws in
            server.model.allowUpdates(by: Loader { .loaded(other) })
            async let open = server.post("/generate", #"{"text":"x"}"#)
            #expect(await server.engine.waits { $0.submissions.count == 1 })
            let body = #"{"model_path":"dir","abort_all_requests":true}"#
            let answer = try await server.post("/update_weights_from_disk", body).json()
            #expect(answer["num_paused_requests"]?.int == 1)
            #expect(try await open.json()["meta_info"]?["finish_reason"]?["type"]?.string == "abort")
            #expect(try await Self.text(server) == "new")
        }
    }
}
