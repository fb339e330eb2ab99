import Checkpoint
import Compute
import Engine
import EngineBench
import EngineInterface
import Testing

/// The demo model of the repository under measurement: what is counted, not how long it took.
struct OneBatchTests {
    private func files() throws -> ModelFiles {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return try .directory("/\(root)/Models/demo")
    }

    private func run(_ batch: OneBatch) async throws -> OneBatchResult {
        var configuration = EngineConfiguration(modelPath: "demo")
        configuration.maxTotalTokens = 8192
        configuration.chunkedPrefillSize = 64
        return try await batch.run(
            configuration, files: files(), backend: { try CPUBackend(kernels: nil, threads: 2, pin: false) })
    }

    @Test func everyRowOfEveryRoundIsCounted() async throws {
        let batch = OneBatch(batchSize: 3, inputLength: 100, outputLength: 5, repetitions: 2)
        let result = try await run(batch)
        #expect(result.rounds.count == 2)
        for round in result.rounds {
            // The prefix cache has seen none of the prompts, and the first token of each comes with its prompt.
            #expect(round.prefill.rows + round.decode.rows == 3 * 100 + 3 * 4)
            #expect(round.prefill.rows >= 300)
            #expect(round.firstTokenSeconds.count == 3 && round.firstTokenSeconds.allSatisfy { $0 <= round.seconds })
            for sum in [round.prefill, round.decode] {
                #expect(sum.outsideSeconds >= 0 && sum.outsideSeconds < sum.seconds)
            }
            let attention = try #require(round.decode.costs[.attention])
            #expect(attention.calls % round.decode.steps == 0 && attention.arithmetic > 0 && attention.bytes > 0)
        }
        let memory = try #require(result.loadedMemory)
        #expect(memory.now > 0 && memory.most >= memory.now)
    }

    @Test func theReportListsOperationsOnlyWithCeilings() async throws {
        let result = try await run(OneBatch(batchSize: 1, inputLength: 8, outputLength: 2, repetitions: 1))
        let ceilings = MachineCeilings(threads: 2, readBandwidth: 1e10, float32: 1e11, bfloat16: nil, int8: nil)
        #expect(!result.report(ceilings: nil).contains("attention"))
        let report = result.report(ceilings: ceilings)
        for name in ["attention", "sampling", "outside of operations", "prefill: 1 steps", "decode: 1 steps"] {
            #expect(report.contains(name), "\(name)")
        }
    }

    @Test func aBatchThatCannotRunIsAnError() async throws {
        await #expect(throws: RequestError.self) {
            _ = try await run(OneBatch(batchSize: 1, inputLength: 100_000, outputLength: 1, repetitions: 1))
        }
    }
}
