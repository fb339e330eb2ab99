package import Checkpoint
package import Compute
package import Engine

/// What a step takes beside its operations: planning, commit, delivery to the streams, building batches. It does not
/// depend on the model, so a small one shows it.
package struct StepOverhead: Sendable, Equatable {
    /// Seconds for each step, and for each sequence in it.
    package var step: Double
    package var sequence: Double

    /// Decodes with one sequence and with sixteen and takes what lies outside of the operations, from the quickest round.
    ///
    /// - Parameter backend: called on the engine thread.
    /// - Throws: what `OneBatch.run` throws.
    package static func measure(
        _ configuration: EngineConfiguration, files: ModelFiles,
        backend: @escaping @Sendable () throws -> any Backend
    ) async throws -> StepOverhead {
        let many = 16
        func outside(_ batch: Int) async throws -> Double {
            let result = try await OneBatch(batchSize: batch, inputLength: 16, outputLength: 128, repetitions: 5)
                .run(configuration, files: files, backend: backend)
            return result.rounds.map { $0.decode.outsideSeconds / Double(max(1, $0.decode.steps)) }.min() ?? 0
        }
        let one = try await outside(1)
        let sequence = max(0, try await outside(many) - one) / Double(many - 1)
        return StepOverhead(step: max(0, one - sequence), sequence: sequence)
    }
}
