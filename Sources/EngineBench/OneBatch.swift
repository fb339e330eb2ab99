package import Checkpoint
package import Compute
package import Engine
import EngineInterface
import Statistics

/// One batch of requests, fed and decoded by an engine of its own in this process: the same threads, scheduler and
/// kernels that serve users, with a clock around each operation and without HTTP.
package struct OneBatch: Sendable {
    package var batchSize: Int
    /// Prompt tokens of each request; drawn anew each time, so that the prefix cache finds nothing.
    package var inputLength: Int
    /// Tokens each request generates.
    package var outputLength: Int
    /// Measured rounds, after one that is not.
    package var repetitions: Int
    package var temperature: Float = 0
    package var topP: Float = 1

    package init(batchSize: Int, inputLength: Int, outputLength: Int, repetitions: Int) {
        self.batchSize = batchSize
        self.inputLength = inputLength
        self.outputLength = outputLength
        self.repetitions = repetitions
    }

    /// Loads the model, feeds the batch as often as asked, and ends the engine.
    ///
    /// - Parameter backend: called on the engine thread.
    /// - Throws: what `EngineLoader.start` throws, or `RequestError` for a batch that the engine cannot run.
    package func run(
        _ configuration: EngineConfiguration, files: ModelFiles,
        backend: @escaping @Sendable () throws -> any Backend,
        progress: @escaping @Sendable (EngineLoader.Stage) -> Void = { _ in }
    ) async throws -> OneBatchResult {
        let recorder = StepRecorder()
        let clock = ContinuousClock()
        let start = clock.now
        let engine = try await EngineLoader.start(
            configuration, files: files, endOfSequenceIDs: [],
            backend: { ProfilingBackend(try backend(), recorder: recorder) },
            availableMemory: { HostInfo.availableMemory() }, progress: progress)
        var result = OneBatchResult(
            batch: self, engine: engine.information, loadSeconds: start.duration(to: clock.now) / .seconds(1),
            loadedMemory: HostInfo.residentMemory())
        do {
            for round in 0...repetitions {
                _ = recorder.take()
                let measured = try await feed(engine, recorder, round: round)
                if round > 0 { result.rounds.append(measured) }
            }
        } catch {
            await engine.shutdown()
            throw error
        }
        result.finalMemory = HostInfo.residentMemory()
        await engine.shutdown()
        return result
    }

    private func feed(_ engine: EngineHandle, _ recorder: StepRecorder, round: Int) async throws -> OneBatchRound {
        let clock = ContinuousClock()
        var generator = RandomSource(seed: UInt64(round))
        let prompts = (0..<batchSize).map { _ in
            (0..<inputLength).map { _ in Int32(generator.next() % UInt64(engine.information.vocabularySize)) }
        }
        let start = clock.now
        var streams: [AsyncStream<GenerationEvent>] = []
        for (index, prompt) in prompts.enumerated() {
            var sampling = SamplingParameters()
            sampling.temperature = temperature
            sampling.topP = topP
            sampling.maxTokens = outputLength
            sampling.ignoreEOS = true
            streams.append(
                try engine.submit(GenerationRequest(id: "\(round)-\(index)", prompt: prompt, sampling: sampling)))
        }
        let firstTokens = try await withThrowingTaskGroup(of: Double.self) { group in
            for stream in streams {
                group.addTask {
                    var first = Double.infinity
                    for await event in stream {
                        switch event {
                        case .started, .prompt: break
                        case .token: first = min(first, start.duration(to: clock.now) / .seconds(1))
                        case .finished(.failed(let error), _): throw error
                        case .finished: break
                        }
                    }
                    return first
                }
            }
            var times: [Double] = []
            for try await time in group { times.append(time) }
            return times
        }
        return OneBatchRound(
            firstTokenSeconds: firstTokens, seconds: start.duration(to: clock.now) / .seconds(1),
            steps: recorder.take(), inputLength: inputLength)
    }
}
