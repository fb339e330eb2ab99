package import Checkpoint
package import Compute
package import Engine
import EngineInterface
package import PrefixCache

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
        var configuration = configuration
        if let poolTokens { configuration.maxTotalTokens = poolTokens }
        configuration.evictionPolicy = policy
        configuration.disableRadixCache = !reuses
        let engine = try await EngineLoader.start(
            configuration, files: files, endOfSequenceIDs: [], backend: backend,
            availableMemory: { HostInfo.availableMemory() }, progress: { _ in })
        do {
            let run = try await feed(workload, engine)
            await engine.shutdown()
            return run
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
            var prompts: [(index: Int, prompt: [Int32])] = []
            for index in rounds[round] ?? [] {
                let request = workload.requests[index]
                let history = request.conversation.flatMap { histories[$0] } ?? []
                prompts.append((index, history + request.prompt))
            }
            let start = clock.now
            let answers = try await answers(prompts, workload, engine)
            run.seconds += start.duration(to: clock.now) / .seconds(1)
            for ((index, prompt), answer) in zip(prompts, answers) {
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

    private func answers(
        _ prompts: [(index: Int, prompt: [Int32])], _ workload: CacheWorkload, _ engine: EngineHandle
    ) async throws -> [(tokens: [Int32], cached: Int)] {
        var streams: [AsyncStream<GenerationEvent>] = []
        for (index, prompt) in prompts {
            var sampling = SamplingParameters()
            sampling.temperature = 0
            sampling.maxTokens = workload.requests[index].outputLength
            sampling.ignoreEOS = true
            streams.append(
                try engine.submit(GenerationRequest(id: "\(index)", prompt: prompt, sampling: sampling)))
        }
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
        let engine = try await EngineLoader.start(
            configuration, files: files, endOfSequenceIDs: [], backend: backend,
            availableMemory: { HostInfo.availableMemory() }, progress: { _ in })
        let clock = ContinuousClock()
        var numbers = SplitMix(state: 11)
        func text(_ count: Int) -> [Int32] {
            (0..<count).map { _ in Int32(numbers.next() % UInt64(engine.information.vocabularySize)) }
        }
        func time(_ prompts: [[Int32]]) async throws -> Double {
            let start = clock.now
            let work = CacheWorkload(prompts: prompts)
            _ = try await answers(prompts.enumerated().map { ($0.offset, $0.element) }, work, engine)
            return start.duration(to: clock.now) / .seconds(1)
        }
        var measured: [Burst] = []
        do {
            for _ in 0...rounds {
                let fresh = text(documentTokens)
                let together = try await time((0..<questions).map { _ in fresh + text(questionTokens) })
                let other = text(documentTokens)
                let document = try await time([other])
                var alone = 0.0
                for _ in 0..<questions { alone += try await time([other + text(questionTokens)]) }
                measured.append(Burst(together: together, document: document, questions: alone))
            }
        } catch {
            await engine.shutdown()
            throw error
        }
        await engine.shutdown()
        let counted = measured.dropFirst()
        return Burst(
            together: counted.map(\.together).median, document: counted.map(\.document).median,
            questions: counted.map(\.questions).median)
    }
}

extension CacheWorkload {
    /// Prompts that are answered with one token each.
    fileprivate init(prompts: [[Int32]]) {
        self.init(name: "burst", requests: prompts.map { Request(prompt: $0, outputLength: 1, round: 0) })
    }
}
