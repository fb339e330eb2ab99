import Advisor
import Checkpoint
import Compute
import Engine
import EngineBench
import Models
import Radish
import Scheduling
import Statistics
import Tensors

/// What `radish advise` would have said about the workloads of `radish bench cache`, beside what an engine in this
/// process measures. Predictions come from the timed steps of sketches alone. These and the workloads take turns, and of
/// each the fastest counts: whatever else the machine does only slows things down.
struct AdviceValidation {
    struct Line {
        var workload: String
        var predicted: (with: Simulation.Result, without: Simulation.Result)
        var measured: (with: CacheBench.Run, without: CacheBench.Run)

        var predictedGain: Double { predicted.without.seconds / max(1e-9, predicted.with.seconds) }
        var measuredGain: Double { measured.without.seconds / max(1e-9, measured.with.seconds) }
        /// Of the prediction, in shares of the measured gain.
        var error: Double { predictedGain / measuredGain - 1 }
    }

    struct Report {
        static let tolerance = 0.15
        var lines: [Line]

        var holds: Bool { lines.allSatisfy { $0.error.magnitude <= Self.tolerance } }

        var text: String {
            var table = TextTable([
                "workload", "hit rate", "measured", "seconds", "measured", "cache off", "measured", "gain", "measured",
                "error",
            ])
            for line in lines {
                let (predicted, measured) = (line.predicted, line.measured)
                table.append([
                    line.workload, percent(predicted.with.hitRate), percent(measured.with.hitRate),
                    predicted.with.seconds.fixed(3), measured.with.seconds.fixed(3), predicted.without.seconds.fixed(3),
                    measured.without.seconds.fixed(3), line.predictedGain.fixed(2), line.measuredGain.fixed(2),
                    (line.error > 0 ? "+" : "") + percent(line.error),
                ])
            }
            let good = lines.count { $0.error.magnitude <= Self.tolerance }
            return table.text + "\n\(good) of \(lines.count) predicted gains are within "
                + "\(percent(Self.tolerance)) of the measured ones.\n"
        }

        private func percent(_ share: Double) -> String { (share * 100).fixed(1) + "%" }
    }

    private let plan: ModelPlan
    private let resolved: ResolvedConfiguration
    private let threads: Int?
    private let workloads: [CacheWorkload]
    private static let rounds = 5

    /// - Throws: what is wrong with the model's files or the flags, or that the pool has no room.
    init(_ model: ModelOptions, _ cache: CacheOptions, _ scheduling: SchedulingOptions, _ machine: MachineOptions)
        throws
    {
        plan = try ModelPlan(model, cache, scheduling, machine)
        resolved = try plan.requireFit()
        threads = machine.threads
        // Lengths and ids are those of `radish bench cache`.
        workloads = CacheWorkload.all(vocabularySize: 500, scale: 0.6)
    }

    func run() async throws -> Report {
        let threads = threads
        let bench = CacheBench(
            plan.configuration, files: plan.files,
            backend: { try CPUBackend(kernels: nil, threads: threads, pin: true) })
        var costs: CostModel?
        var measured: [(with: CacheBench.Run, without: CacheBench.Run)?] = workloads.map { _ in nil }
        for round in 1...Self.rounds {
            StandardStreams.note("round \(round) of \(Self.rounds)\n")
            let found = try await plan.measureCosts(resolved, threads: threads)
            if found.seconds < costs?.seconds ?? .infinity { costs = found }
            for (index, workload) in workloads.enumerated() {
                let with = try await bench.run(workload)
                let without = try await bench.run(workload, reuses: false)
                let known = measured[index] ?? (with, without)
                measured[index] = (
                    with.seconds < known.with.seconds ? with : known.with,
                    without.seconds < known.without.seconds ? without : known.without
                )
            }
        }
        var report = Report(lines: [])
        for (workload, measured) in zip(workloads, measured) {
            guard let measured, let costs else { continue }
            report.lines.append(
                Line(workload: workload.name, predicted: predict(workload, costs), measured: measured))
        }
        return report
    }

    private func predict(
        _ workload: CacheWorkload, _ costs: CostModel
    ) -> (with: Simulation.Result, without: Simulation.Result) {
        // What will be answered is not known; ids that no prompt has are as good as any.
        let rounds = workload.rounds { index in
            (0..<workload.requests[index].outputLength).map {
                Int32((501 + index * 64 + $0) % plan.spec.vocabularySize)
            }
        }.map { round in round.map { Simulation.Request(prompt: $0.prompt, answer: $0.answer, arrival: 0) } }
        var configuration = plan.schedulerConfiguration(resolved)
        configuration.maxQueuedRequests = max(configuration.maxQueuedRequests, workload.requests.count)
        let with = Simulation(configuration: configuration, costs: costs).run(rounds: rounds)
        configuration.disableRadixCache = true
        let without = Simulation(configuration: configuration, costs: costs).run(rounds: rounds)
        return (with, without)
    }
}

extension CostModel {
    /// Of all steps that were timed: which of two calibrations was disturbed more.
    fileprivate var seconds: Double { rows.reduce(0) { $0 + $1.seconds } }
}
