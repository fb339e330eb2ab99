import Checkpoint
import Compute
import Engine
import EngineInterface
import Synchronization
import TestSupport
import Testing

/// Engines that run the demo model of the repository.
enum Demo {
    static let endOfSequenceIDs: Set<Int32> = [0, 2]
    static let vocabularySize = 2048

    static func files() throws -> ModelFiles {
        var root = #filePath.split(separator: "/").dropLast(3).map(String.init)
        root += ["Models", "demo"]
        return try .directory("/" + root.joined(separator: "/"))
    }

    static func start(
        _ files: ModelFiles? = nil, threads: Int = 2, gate: StepGate? = nil,
        _ change: (inout EngineConfiguration) -> Void = { _ in }
    ) async throws -> EngineHandle {
        var configuration = EngineConfiguration(modelPath: "demo")
        configuration.maxTotalTokens = 16384
        configuration.maxRunningRequests = 64
        configuration.randomSeed = 7
        change(&configuration)
        return try await EngineLoader.start(
            configuration, files: try files ?? Self.files(), endOfSequenceIDs: endOfSequenceIDs,
            backend: {
                let backend = try CPUBackend(kernels: nil, threads: threads, pin: false)
                guard let gate else { return backend }
                return GatedBackend(backend, gate)
            },
            availableMemory: { 4 << 30 }, progress: { _ in })
    }

    /// Runs `body` with an engine, and checks after it that every page has come back.
    static func withEngine<Result>(
        threads: Int = 2, gate: StepGate? = nil, _ change: (inout EngineConfiguration) -> Void = { _ in },
        _ body: (EngineHandle) async throws -> Result
    ) async throws -> Result {
        let engine = try await start(threads: threads, gate: gate, change)
        let result = try await body(engine)
        gate?.open()
        await expectIdle(engine)
        await engine.shutdown()
        return result
    }

    static func expectIdle(_ engine: EngineHandle, sourceLocation: SourceLocation = #_sourceLocation) async {
        let statistics = await engine.statistics()
        #expect(statistics.leasedPages == 0, sourceLocation: sourceLocation)
        #expect(statistics.freePages + statistics.cachedPages == statistics.totalPages, sourceLocation: sourceLocation)
        #expect(statistics.runningRequests == 0 && statistics.waitingRequests == 0, sourceLocation: sourceLocation)
        #expect(statistics.totalPages > 0, sourceLocation: sourceLocation)
    }

    /// Ids that mean nothing, always the same for the same seed. None is an end or a mark of the chat format.
    static func prompt(_ count: Int, seed: UInt64) -> [Int32] {
        var dice = SeededGenerator(seed: seed)
        return (0..<count).map { _ in Int32.random(in: 10..<Int32(vocabularySize), using: &dice) }
    }

    static func request(
        _ id: String, _ prompt: [Int32], tokens: Int = 16, _ change: (inout SamplingParameters) -> Void = { _ in }
    ) -> GenerationRequest {
        var sampling = SamplingParameters()
        sampling.temperature = 0
        sampling.maxTokens = tokens
        sampling.ignoreEOS = true
        change(&sampling)
        return GenerationRequest(id: id, prompt: prompt, sampling: sampling)
    }
}

extension GenerationEngine {
    func answer(_ request: GenerationRequest) async throws -> Answer { await Answer.of(try submit(request)) }

    /// All at once; the answers in the order of the requests.
    func answers(_ requests: [GenerationRequest]) async throws -> [Answer] {
        let streams = try requests.map { try submit($0) }
        return await withTaskGroup(of: (Int, Answer).self) { group in
            for (index, stream) in streams.enumerated() { group.addTask { (index, await Answer.of(stream)) } }
            var result = [Answer?](repeating: nil, count: streams.count)
            for await (index, answer) in group { result[index] = answer }
            return result.compactMap { $0 }
        }
    }

    /// Asks until the statistics are as wanted.
    /// - Returns: false if they were not in ten seconds.
    func reaches(_ wanted: (EngineStatistics) -> Bool) async -> Bool {
        let deadline = ContinuousClock.now + .seconds(60)
        while !wanted(await statistics()) {
            if ContinuousClock.now > deadline { return false }
            try? await Task.sleep(for: .milliseconds(2))
        }
        return true
    }
}
