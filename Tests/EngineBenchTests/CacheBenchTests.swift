import Checkpoint
import Compute
import Engine
import EngineBench
import PrefixCache
import Testing

struct CacheBenchTests {
    private static func bench() throws -> CacheBench {
        let root = #filePath.split(separator: "/").dropLast(3).map(String.init) + ["Models", "demo"]
        var configuration = EngineConfiguration(modelPath: "demo")
        configuration.maxTotalTokens = 16384
        configuration.maxRunningRequests = 16
        return CacheBench(
            configuration, files: try .directory("/" + root.joined(separator: "/")),
            backend: { try CPUBackend(kernels: nil, threads: 1, pin: false) })
    }

    @Test func theOptimumIsEveryRepeatedToken() {
        var optimum = ReuseOptimum()
        #expect(optimum.add(prompt: [1, 2, 3], fed: [4, 5]) == 0)
        #expect(optimum.add(prompt: [1, 2, 3, 4, 5, 6], fed: []) == 5)
        #expect(optimum.add(prompt: [1, 2, 3], fed: []) == 2, "the last token is always computed")
        #expect(optimum.add(prompt: [2, 3, 4], fed: []) == 0)
        #expect(optimum.add(prompt: [1, 2, 9, 4, 5], fed: []) == 2)
    }

    @Test func workloadsAreTheSameEveryTime() {
        let (a, b) = (
            CacheWorkload.all(vocabularySize: 500, scale: 0.1), CacheWorkload.all(vocabularySize: 500, scale: 0.1)
        )
        #expect(a.count == 6)
        for (one, other) in zip(a, b) {
            #expect(one.requests.map(\.prompt) == other.requests.map(\.prompt), "\(one.name)")
            #expect(one.longestSequence > 10)
        }
    }

    /// While memory suffices the engine finds every token that was ever fed before.
    @Test func theHitRateIsTheOptimumWhileMemorySuffices() async throws {
        let bench = try Self.bench()
        for workload in CacheWorkload.all(vocabularySize: 500, scale: 0.08) {
            let run = try await bench.run(workload)
            #expect(run.promptTokens > 0 && run.evictedPages == 0)
            // What two prompts share by chance is computed twice rather than waited for.
            #expect(run.cachedTokens <= run.optimum && run.cachedTokens >= run.optimum - 12, "\(workload.name)")
            let off = try await bench.run(workload, reuses: false)
            #expect(off.cachedTokens == 0 && off.optimum == run.optimum, "\(workload.name): same answers, same prompts")
        }
    }

    @Test func underPressureLessIsFoundAndNothingFails() async throws {
        let bench = try Self.bench()
        let workload = try #require(
            CacheWorkload.all(vocabularySize: 500, scale: 0.1).first { $0.name == "shared-document" })
        let whole = try await bench.run(workload)
        for policy in EvictionPolicyName.allCases {
            let run = try await bench.run(workload, poolTokens: whole.workingSet / 2, policy: policy)
            #expect(run.promptTokens == whole.promptTokens && run.optimum == whole.optimum)
            #expect(run.evictedPages > 0 && run.cachedTokens < whole.cachedTokens, "\(policy)")
        }
    }
}
