import Compute
import Engine
import EngineInterface
import Statistics

/// A kind of step that an engine can be brought to make.
package enum ProbedStep: Hashable, Sendable {
    /// One row of each of so many sequences, all of them sampled.
    case decode(sequences: Int, behind: Int)
    /// Rows of one sequence behind tokens that the engine still has, the last one sampled.
    case feed(rows: Int, behind: Int)
    /// A whole chunk of a longer prompt.
    case chunk
}

/// Feeds one engine with random tokens and looks at its steps.
struct StepProbe {
    /// Tokens before the first decoding step of a sequence that is behind nothing, and tokens it generates.
    static let prompt = 8
    static let outputs = 24
    /// Time for the rounds of one kind of step, beyond the first.
    private static let seconds = 0.06

    let chunk: Int
    /// Tokens of the longest sequence.
    let longest: Int
    private let engine: EngineHandle
    private let recorder: StepRecorder
    private let vocabularySize: UInt64
    private var numbers = RandomSource(seed: 5)
    private var context: [Int32] = []
    private let clock = ContinuousClock()

    init(_ engine: EngineHandle, _ recorder: StepRecorder) {
        self.engine = engine
        self.recorder = recorder
        chunk = engine.resolved.chunkedPrefillSize.value
        longest = min(engine.information.contextLength, engine.information.poolTokens) - 1
        vocabularySize = UInt64(engine.information.vocabularySize)
    }

    /// Seconds of such a step, from its beginning to that of the next; nil where the engine has no room for it.
    mutating func seconds(_ step: ProbedStep) async throws -> Double? {
        switch step {
        case .decode(let sequences, let behind):
            let tokens = behind + Self.prompt + Self.outputs
            guard tokens <= longest, sequences * (tokens + 16) <= engine.information.poolTokens else { return nil }
            try await lay(behind)
            return try await repeated { probe in
                let prompts = (0..<sequences).map { _ in probe.context.prefix(behind) + probe.random(Self.prompt) }
                let steps = try await probe.steps(prompts, outputs: Self.outputs)
                let times = steps.filter { $0.sequences.count == sequences && $0.rows == sequences }.dropFirst()
                    .map { $0.seconds + $0.gapSeconds }
                return times.isEmpty ? nil : Distribution(times).mean
            }
        case .feed(let rows, let behind):
            guard behind + rows + 2 <= longest else { return nil }
            try await lay(behind)
            return try await repeated { probe in
                let prompt = probe.context.prefix(behind) + probe.random(rows)
                return try await probe.first(of: [prompt], outputs: 2, rows: rows)
            }
        case .chunk:
            let rows = chunk
            guard rows + Self.prompt + 1 <= longest else { return nil }
            return try await repeated { probe in
                let prompt = probe.random(rows + Self.prompt)
                return try await probe.first(of: [prompt[...]], outputs: 1, rows: rows)
            }
        }
    }

    /// The median of a few rounds. A round whose prompt happens to begin as an earlier one makes another step than
    /// wanted, and shows nothing.
    private mutating func repeated(_ round: (inout StepProbe) async throws -> Double?) async throws -> Double? {
        var times: [Double] = []
        var misses = 0
        let start = clock.now
        repeat {
            if let time = try await round(&self) { times.append(time) } else { misses += 1 }
        } while times.isEmpty && misses < 16 || start.duration(to: clock.now) / .seconds(1) < Self.seconds
        return times.isEmpty ? nil : times.median
    }

    /// Lets the engine have the context that others are behind.
    private mutating func lay(_ count: Int) async throws {
        guard context.count < count else { return }
        context = Array(random(count))
        _ = try await steps([context[...]], outputs: 1)
    }

    private mutating func random(_ count: Int) -> ArraySlice<Int32> {
        (0..<count).map { _ in Int32(numbers.next() % vocabularySize) }[...]
    }

    /// The first of two steps; what follows a step shows in the gap before the next.
    private func first(of prompts: [ArraySlice<Int32>], outputs: Int, rows: Int) async throws -> Double? {
        let steps = try await steps(prompts, outputs: outputs)
        guard steps.count == 2, steps[0].rows == rows else { return nil }
        return steps[0].seconds + steps[1].gapSeconds
    }

    /// Lets prompts go together and waits for their ends.
    private func steps(_ prompts: [ArraySlice<Int32>], outputs: Int) async throws -> [StepRecord] {
        _ = recorder.take()
        await engine.pause(.inPlace)
        var streams: [AsyncStream<GenerationEvent>] = []
        for (index, prompt) in prompts.enumerated() {
            var sampling = SamplingParameters()
            sampling.temperature = 0
            sampling.maxTokens = outputs
            sampling.ignoreEOS = true
            streams.append(
                try engine.submit(GenerationRequest(id: "\(index)", prompt: Array(prompt), sampling: sampling)))
        }
        engine.resume()
        for stream in streams {
            for await event in stream {
                if case .finished(.failed(let error), _) = event { throw error }
            }
        }
        return recorder.take()
    }
}
