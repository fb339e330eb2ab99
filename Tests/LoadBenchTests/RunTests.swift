import Checkpoint
import EngineInterface
import LoadBench
import Logging
import Server
import ServiceLifecycle
import TestSupport
import Testing
import TextGeneration
import Tokenizers
import WireTypes

/// Whole runs over sockets: against the null server, whose answers are known, and against the real HTTP server with a
/// scripted engine behind it.
struct RunTests {
    @Test(arguments: [ServingBackend.radish, .sglangOAI, .vllmChat, .llamaCpp])
    func nullServerGivesWhatWasAskedFor(backend: ServingBackend) async throws {
        let server = try await NullServer.start(
            host: "127.0.0.1", port: 0, pace: .init(firstTokenMicroseconds: 20_000, tokenMicroseconds: 2000))
        let client = LoadClient(baseURL: "http://127.0.0.1:\(server.port)")
        let items = RandomDataset(count: 12, inputLength: 20, outputLength: 9, rangeRatio: 1)
            .items(codec: byteCodec, seed: 1)
        let result = await LoadRun(client: client, shape: RequestShape(backend: backend, model: "null"))
            .run(items, times: Array(repeating: 0, count: 12))
        #expect(result.outcomes.map(\.item) == Array(0..<12))
        for outcome in result.outcomes {
            #expect(outcome.error == nil && outcome.outputTokens == 9 && outcome.chunks >= 9)
            #expect(outcome.text == String(repeating: " hi", count: 9))
            #expect(outcome.interTokenTimes.count == 8 && outcome.timeToFirstToken >= 0.02)
            #expect(outcome.serverPromptTokens == 7 && outcome.cachedTokens == 3)
        }
        var whole = RequestShape(backend: backend, model: "null")
        whole.stream = false
        let answers = await LoadRun(client: client, shape: whole).run(items, times: Array(repeating: 0, count: 12))
        #expect(answers.outcomes.allSatisfy { $0.error == nil && $0.outputTokens == 9 && $0.text.hasPrefix(" hi") })
        await client.shutdown()
        await server.shutdown()
    }

    @Test func limitsAndFailuresAreKept() async throws {
        let server = try await NullServer.start(
            host: "127.0.0.1", port: 0, pace: .init(firstTokenMicroseconds: 30_000, tokenMicroseconds: 0))
        let client = LoadClient(baseURL: "http://127.0.0.1:\(server.port)")
        let items = RandomDataset(count: 8, inputLength: 20, outputLength: 2, rangeRatio: 1)
            .items(codec: byteCodec, seed: 1)
        let run = LoadRun(client: client, shape: RequestShape(backend: .radish, model: "null"), maxConcurrency: 2)
        let result = await run.run(items, times: Array(repeating: 0, count: 8))
        let summary = ServingSummary(result.outcomes, seconds: result.seconds) { _ in 0 }
        // Two at a time, each at least 30 ms.
        #expect(result.seconds >= 0.12 && summary.concurrency <= 2.001)
        await server.shutdown()
        let lost = await run.run(items, times: Array(repeating: 0, count: 8))
        #expect(lost.outcomes.allSatisfy { !$0.isSuccess })
        await client.shutdown()
    }

    @Test func aWholeBenchmarkAgainstTheServer() async throws {
        try await ScriptedServer.run { port in
            let client = LoadClient(baseURL: "http://127.0.0.1:\(port)")
            let model = try await ServingBenchmark.waitForModel(client, seconds: 10)
            #expect(model == "tiny")
            let words = ["one", "two", "three"].map { WorkItem(prompt: .text($0), promptTokens: 2, outputTokens: 6) }
            let talk = WorkItem(prompt: .rounds(["one", "two"]), promptTokens: 2, outputTokens: 6)
            for backend in [ServingBackend.radish, .sglangOAI, .sglangOAIChat] {
                var benchmark = ServingBenchmark(
                    client: client, shape: RequestShape(backend: backend, model: "tiny"),
                    arrivals: .poisson(rate: 200))
                benchmark.flushesCache = true
                benchmark.goodputLimits = [Goodput.Limit(.e2el, milliseconds: 60_000)]
                let run = try await benchmark.run(
                    words + [talk], arguments: .init(backend: backend, datasetName: "custom"),
                    retokenize: { $0.utf8.count })
                #expect(run.summary.completed == 5 && run.summary.failed == 0, "\(run.outcomes.compactMap(\.error))")
                #expect(run.summary.outputTokens == 30 && run.cache.before == .cold)
                #expect(run.outcomes.map(\.round) == [0, 0, 0, 0, 1])
                #expect(run.outcomes.allSatisfy { $0.cachedTokens == 1 && ($0.serverPromptTokens ?? 0) > 0 })
                // The second round asked with everything that was said before.
                #expect((run.outcomes[4].serverPromptTokens ?? 0) > (run.outcomes[3].serverPromptTokens ?? 0) + 5)
                #expect(run.goodput?.attainment == 1)
                guard case .object = run.serverInformation else {
                    Issue.record("no server_info")
                    return
                }
            }
            await client.shutdown()
        }
    }
}

/// The real HTTP server, the demo model's tokenizer, and an engine that says the same six tokens to everybody.
enum ScriptedServer {
    static func run(_ body: @escaping @Sendable (Int) async throws -> Void) async throws {
        let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        let files = try ModelFiles.directory(root + "/Models/demo")
        let assets = try ModelAssets(files: files, tokenizerFiles: files)
        let ids = Array(assets.tokenizer.encode("one two three four five six", addSpecialTokens: false).prefix(6))
        let engine = ScriptedEngine(
            information: EngineInformation(
                modelPath: "/models/tiny", architecture: "Tiny", vocabularySize: assets.tokenizer.vocabularySize,
                contextLength: 2048, poolTokens: 4096, pageSize: 16, dtype: "float32", backend: "scripted",
                endOfSequenceIDs: [])
        ) { _ in .init(ids: ids, cachedTokens: 1, pace: .every(.milliseconds(1))) }
        let model = ServedModel()
        model.becomeReady(TextEngine(engine: engine, assets: assets))
        var configuration = ServerConfiguration(servedModelNames: ["tiny"], version: "1.2.3")
        configuration.port = 0
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let application = ServerApplication(configuration: configuration, model: model, logger: quiet) {
            port.yield($0)
            port.finish()
        }
        let group = ServiceGroup(configuration: .init(services: [application], logger: quiet))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            tasks.addTask {
                let result: Result<Void, any Error>
                do {
                    for await number in ports { try await body(number) }
                    result = .success(())
                } catch {
                    result = .failure(error)
                }
                await group.triggerGracefulShutdown()
                try result.get()
            }
            try await tasks.waitForAll()
        }
    }
}
