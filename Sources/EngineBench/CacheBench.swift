package import Checkpoint
package import Compute
package import Engine
import EngineInterface
package import PrefixCache
import Statistics

/// Runs workloads that share prefixes through an engine in this process: with the cache, without it, and with too
/// little memory under each eviction policy.
package struct CacheBench: Sendable {
    /// One workload on one engine.
    package struct Run: Sendable {
        package var promptTokens = 0
        package var cachedTokens = 0
        /// `cachedTokens` of a cache that forgets nothing.
        package var optimum = 0
        package var evictedPages = 0
        package var seconds = 0.0
        /// Tokens the workload keeps in all: every distinct prefix once.
        package var workingSet = 0

        package var hitRate: Double { promptTokens == 0 ? 0 : Double(cachedTokens) / Double(promptTokens) }
        package var bestRate: Double { promptTokens == 0 ? 0 : Double(optimum) / Double(promptTokens) }
    }

    package var configuration: EngineConfiguration
    package var files: ModelFiles
    package var backend: @Sendable () throws -> any Backend

    package init(
        _ configuration: EngineConfiguration, files: ModelFiles,
        backend: @escaping @Sendable () throws -> any Backend
    ) {
        self.configuration = configuration
        self.files = files
        self.backend = backend
    }

    /// - Parameters:
    ///   - poolTokens: size of the KV pool; nil: as configured.
    ///   - reuses: false computes everything.
    package func run(
        _ workload: CacheWorkload, poolTokens: Int? = nil, policy: EvictionPolicyName = .lru, reuses: Bool = true
    ) async throws -> Run {
        try await withEngine {
            if let poolTokens { $0.maxTotalTokens = poolTokens }
            $0.evictionPolicy = policy
            $0.disableRadixCache = !reuses
        } body: { engine in
            try await feed(workload, engine)
        }
    }

    private func withEngine<Result: Sendable>(
        _ change: (inout EngineConfiguration) -> Void = { _ in }, body: (EngineHandle) async throws -> Result
    ) async throws -> Result {
        var configuration = configuration
        change(&configuration)
        let engine = try await EngineLoader.start(
            configuration, files: files, endOfSequenceIDs: [], backend: backend,
            availableMemory: { HostInfo.availableMemory() }, progress: { _ in })
        do {
            let result = try await body(engine)
            await engine.shutdown()
            return result
        } catch {
            await engine.shutdown()
            throw error
        }
    }

    private func feed(_ workload: CacheWorkload, _ engine: EngineHandle) async throws -> Run {
        let clock = ContinuousClock()
        var run = Run()
        var optimum = ReuseOptimum()
        var histories: [Int: [Int32]] = [:]
        let rounds = Dictionary(grouping: workload.requests.indices) { workload.requests[$0].round }
        for round in rounds.keys.sorted() {
            let indices = rounds[round] ?? []
            let prompts = indices.map { index in
                let request = workload.requests[index]
                let history = request.conversation.flatMap { histories[$0] } ?? []
                return Prompt(tokens: history + request.prompt, outputLength: request.outputLength)
            }
            // Let go together, so that one run plans the same steps as another.
            await engine.pause(.inPlace)
            let start = clock.now
            let answers = try await answers(prompts, engine) { engine.resume() }
            run.seconds += start.duration(to: clock.now) / .seconds(1)
            for (index, (prompt, answer)) in zip(indices, zip(prompts.map(\.tokens), answers)) {
                run.promptTokens += prompt.count
                run.cachedTokens += answer.cached
                // The token sampled last is never fed.
                let fed = Array(answer.tokens.dropLast())
                let found = optimum.add(prompt: prompt, fed: fed)
                run.optimum += found
                run.workingSet += prompt.count + fed.count - found
                let request = workload.requests[index]
                if let conversation = request.conversation {
                    histories[conversation] = prompt + answer.tokens + request.addition
                }
            }
        }
        run.evictedPages = await engine.statistics().evictedPages
        return run
    }

    private struct Prompt {
        var tokens: [Int32]
        var outputLength = 1
    }

    private func answers(
        _ prompts: [Prompt], _ engine: EngineHandle, submitted: () -> Void = {}
    ) async throws -> [(tokens: [Int32], cached: Int)] {
        var streams: [AsyncStream<GenerationEvent>] = []
        for (index, prompt) in prompts.enumerated() {
            var sampling = SamplingParameters()
            sampling.temperature = 0
            sampling.maxTokens = prompt.outputLength
            sampling.ignoreEOS = true
            streams.append(
                try engine.submit(GenerationRequest(id: "\(index)", prompt: prompt.tokens, sampling: sampling)))
        }
        submitted()
        var answers: [(tokens: [Int32], cached: Int)] = []
        for stream in streams {
            var tokens: [Int32] = []
            var cached = 0
            for await event in stream {
                switch event {
                case .token(let token): tokens.append(token.id)
                case .finished(.failed(let error), _): throw error
                case .finished(_, let usage): cached = usage.cachedTokens
                case .started, .prompt: break
                }
            }
            answers.append((tokens, cached))
        }
        return answers
    }

    // MARK: A burst

    /// Seconds for questions on a fresh document.
    package struct Burst: Sendable {
        /// All at once.
        package var together: Double
        /// The document alone, and each question alone with the document cached.
        package var document: Double
        package var questions: Double

        /// 1: the document is computed once and nothing is lost.
        package var ratio: Double { together / (document + questions) }
    }

    /// - Returns: the medians of `rounds` measurements, each with new tokens, after one that does not count.
    package func burst(
        documentTokens: Int, questionTokens: Int, questions: Int, rounds: Int
    ) async throws -> Burst {
        let measured = try await withEngine { engine in
            var text = RandomText(engine)
            var measured: [Burst] = []
            for _ in 0...rounds {
                let fresh = text.next(documentTokens)
                let together = try await seconds(
                    (0..<questions).map { _ in Prompt(tokens: fresh + text.next(questionTokens)) }, engine)
                let other = text.next(documentTokens)
                let document = try await seconds([Prompt(tokens: other)], engine)
                var alone = 0.0
                for _ in 0..<questions {
                    alone += try await seconds([Prompt(tokens: other + text.next(questionTokens))], engine)
                }
                measured.append(Burst(together: together, document: document, questions: alone))
            }
            return measured.dropFirst()
        }
        return Burst(
            together: measured.map(\.together).median, document: measured.map(\.document).median,
            questions: measured.map(\.questions).median)
    }

    // MARK: Overhead

    /// Prompts that have nothing in common, with the cache and without.
    ///
    /// Two engines stand side by side and get the same prompts, turn and turn about (off, on, on, off); of the two
    /// times of each the better one counts, since whatever else the machine does only slows a round down. The pools
    /// are small (if their size is not given), so that the engine with the cache evicts as it would in service.
    ///
    /// - Returns: seconds of each pair, after one that does not count.
    package func overhead(
        prompts: Int, promptTokens: Int, outputTokens: Int, pairs: Int
    ) async throws -> [(off: Double, on: Double)] {
        // Full after the first pair.
        let pool = configuration.maxTotalTokens ?? 2 * prompts * (promptTokens + outputTokens + 64)
        return try await withEngine {
            $0.maxTotalTokens = pool
            $0.disableRadixCache = true
        } body: { off in
            try await withEngine {
                $0.maxTotalTokens = pool
            } body: { on in
                var text = RandomText(on)
                func round() -> [Prompt] {
                    (0..<prompts).map { _ in Prompt(tokens: text.next(promptTokens), outputLength: outputTokens) }
                }
                var result: [(off: Double, on: Double)] = []
                for _ in 0...pairs {
                    let (first, second) = (round(), round())
                    let before = try await seconds(first, off)
                    let cached = [try await seconds(first, on), try await seconds(second, on)]
                    let after = try await seconds(second, off)
                    result.append((min(before, after), min(cached[0], cached[1])))
                }
                return Array(result.dropFirst())
            }
        }
    }

    private func seconds(_ prompts: [Prompt], _ engine: EngineHandle) async throws -> Double {
        let clock = ContinuousClock()
        let start = clock.now
        _ = try await answers(prompts, engine)
        return start.duration(to: clock.now) / .seconds(1)
    }
}

/// Tokens of the whole vocabulary, the same in every run.
private struct RandomText {
    private var numbers = RandomSource(seed: 11)
    private let vocabularySize: UInt64

    init(_ engine: EngineHandle) { vocabularySize = UInt64(engine.information.vocabularySize) }

    mutating func next(_ count: Int) -> [Int32] { (0..<count).map { _ in Int32(numbers.next() % vocabularySize) } }
}
