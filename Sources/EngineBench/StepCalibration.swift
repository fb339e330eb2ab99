package import Checkpoint
package import Compute
package import Engine
import Models
import Statistics

/// Measures what the steps of a model take, before it is loaded: an engine with the settings it would have runs sketches
/// of it, which differ from it in the number of their layers and in what their weights are, and in nothing that takes
/// time. What a step is made of is known to the engine alone, so the two cannot drift apart.
package struct StepCalibration: Sendable {
    /// Bytes of layers that no cache of a processor holds, so that a sketch of a large model reads its weights from
    /// memory as that model would.
    private static let uncachedBytes = 256 << 20
    private static let rows = [2, 4, 8, 12, 16, 20, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 1024, 2048]
    private static let batches = [1, 2, 4, 8, 16, 32, 64]
    /// Tokens before the rows where context is what is measured, and numbers of rows for which it is.
    private static let context = 1536
    private static let rowsBehindContext = [8, 32, 128, 512]

    private let configuration: EngineConfiguration
    private let files: ModelFiles
    private let poolTokens: Int
    private let layerBytes: Int
    private let backend: @Sendable () throws -> any Backend

    /// - Parameters:
    ///   - poolTokens: that the engine would have.
    ///   - layerBytes: of the weights of one layer.
    ///   - backend: called on the engine thread.
    package init(
        _ configuration: EngineConfiguration, files: ModelFiles, poolTokens: Int, layerBytes: Int,
        backend: @escaping @Sendable () throws -> any Backend
    ) {
        self.configuration = configuration
        self.files = files
        self.poolTokens = poolTokens
        self.layerBytes = layerBytes
        self.backend = backend
    }

    /// - Throws: what `EngineLoader.start` throws.
    package func measure() async throws -> StepCosts {
        let spec = try ModelLoader.spec(files)
        let sketches = Self.layers(of: spec.layerCount, pattern: spec.layerPattern, bytes: layerBytes)
        let first = try await measure(layers: sketches.few)
        guard let many = sketches.many else { return first }
        return first.extrapolated(
            through: try await measure(layers: many),
            by: Double(spec.layerCount - sketches.few) / Double(many - sketches.few))
    }

    /// Numbers of layers of the sketches. What one has more than the other are whole turns of the pattern, and enough to
    /// be read from memory; a model that has no more is measured whole.
    package static func layers(
        of count: Int, pattern: (lead: Int, period: Int), bytes: Int
    ) -> (few: Int, many: Int?) {
        let rest = (count - pattern.lead) % pattern.period
        let few = pattern.lead + (rest == 0 ? pattern.period : rest)
        let wanted = (uncachedBytes + max(1, bytes) - 1) / max(1, bytes)
        let many = few + (wanted + pattern.period - 1) / pattern.period * pattern.period
        return many < count ? (few, many) : (count, nil)
    }

    private func measure(layers: Int) async throws -> StepCosts {
        var settings = configuration
        settings.sketch = .random(layers: layers)
        settings.isEmbedding = false
        settings.tiers = nil
        settings.disableRadixCache = false
        settings.maxTotalTokens = min(poolTokens, 16384)
        let recorder = StepRecorder()
        let backend = backend
        let engine = try await EngineLoader.start(
            settings, files: files, endOfSequenceIDs: [],
            backend: { ProfilingBackend(try backend(), recorder: recorder) },
            availableMemory: { HostInfo.availableMemory() }, progress: { _ in })
        do {
            var probe = StepProbe(engine, recorder)
            let costs = try await Self.costs(&probe)
            await engine.shutdown()
            return costs
        } catch {
            await engine.shutdown()
            throw error
        }
    }

    private static func costs(_ probe: inout StepProbe) async throws -> StepCosts {
        let counts = rows.filter { $0 <= probe.chunk && $0 + 2 <= probe.longest }
        let before = max(0, min(context, (probe.longest - (counts.last ?? 1)) / 16 * 16 - 64))
        // From one row to many, so that everything is warm before it takes long.
        var steps = batches.map { ProbedStep.decode(sequences: $0, behind: 0) }
        steps += counts.map { ProbedStep.feed(rows: $0, behind: 0) }
        steps.append(.chunk)
        if before >= 64 {
            steps.append(.decode(sequences: 1, behind: before))
            steps += counts.filter(rowsBehindContext.contains).map { ProbedStep.feed(rows: $0, behind: before) }
        }
        var times: [ProbedStep: Double] = [:]
        // Whatever else the machine does only slows steps down, and often not for long: of two times the better counts.
        for _ in 0..<2 {
            for step in steps {
                guard let seconds = try await probe.seconds(step) else { continue }
                times[step] = min(times[step] ?? .infinity, seconds)
            }
        }
        return costs(times, before: before, chunk: probe.chunk)
    }

    /// - Parameters:
    ///   - before: tokens of the context that some steps were behind.
    ///   - chunk: rows of `ProbedStep.chunk`.
    package static func costs(_ times: [ProbedStep: Double], before: Int, chunk: Int) -> StepCosts {
        var costs = StepCosts()
        // A row alone is a decoding step.
        func time(_ rows: Int, behind: Int = 0) -> Double? {
            times[rows == 1 ? .decode(sequences: 1, behind: behind) : .feed(rows: rows, behind: behind)]
        }
        for count in [1] + rows {
            guard let alone = time(count) else { continue }
            costs.rows.append(.init(rows: count, seconds: alone))
            guard before > 0, let behind = time(count, behind: before) else { continue }
            costs.context.append(.init(rows: count, seconds: max(0, behind - alone) / Double(before)))
        }
        if let whole = time(chunk), let unsampled = times[.chunk] {
            costs.sampled.append(.init(rows: 0, seconds: min(0, unsampled - whole)))
        }
        costs.sampled.append(.init(rows: 1, seconds: 0))
        let perToken = costs.context.first?.seconds ?? 0
        for batch in batches.dropFirst() {
            guard let decoding = times[.decode(sequences: batch, behind: 0)], let fed = time(batch) else { continue }
            // What each sequence had before its row, on average.
            let contexts = Double(batch * (StepProbe.prompt + StepProbe.outputs / 2)) * perToken
            costs.sampled.append(.init(rows: batch, seconds: max(0, decoding - fed - contexts)))
        }
        return costs
    }
}
