import ArgumentParser
import Compute
import EngineBench
import PrefixCache
import Radish
import Statistics

struct BenchCache: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache",
        abstract: "Run workloads that share prefixes, and hold the hit rate against the best there could be.",
        discussion: """
            radish bench cache
            radish bench cache --model-path ./Qwen2.5-0.5B --burst
            radish bench cache --overhead --pairs 100
            radish bench cache --tree
            """)

    @Option(parsing: .upToNextOption, help: ArgumentHelp("Workloads to run (default: all).", valueName: "names"))
    var only: [String] = []

    @Option(help: ArgumentHelp("Multiplies the lengths of prompts and answers.", valueName: "factor"))
    var scale = 0.6

    @Option(help: ArgumentHelp("Measured rounds with and without cache; the fastest counts.", valueName: "n"))
    var repetitions = 3

    @Flag(help: "Also with a pool of half and a quarter of the working set, under each eviction policy.")
    var pressure = false

    @Flag(help: "16 questions at once on a fresh document of 2,000 tokens, against the parts alone.")
    var burst = false

    @Flag(help: "What the cache costs where nothing is shared: prompts with and without it in turns.")
    var overhead = false

    @Option(help: ArgumentHelp("Pairs of rounds for --overhead.", valueName: "n"))
    var pairs = 40

    @Flag(help: "The radix tree alone: a million cached tokens, no model.")
    var tree = false

    @OptionGroup(title: "Model") var model: ModelOptions
    @OptionGroup(title: "Cache") var cache: CacheOptions
    @OptionGroup(title: "Scheduling") var scheduling: SchedulingOptions
    @OptionGroup(title: "Machine") var machine: MachineOptions

    func validate() throws {
        guard repetitions >= 1 else { throw ValidationError("--repetitions \(repetitions): expected at least 1.") }
        guard pairs >= 3 else { throw ValidationError("--pairs \(pairs): expected at least 3.") }
        guard scale > 0, scale <= 100 else { throw ValidationError("--scale \(scale): expected 0 to 100.") }
        let known = CacheWorkload.all(vocabularySize: 2, scale: 1).map(\.name)
        for name in only where !known.contains(name) {
            throw ValidationError("--only \(name): expected one of \(known.joined(separator: ", ")).")
        }
    }

    func run() async throws {
        do {
            if tree {
                StandardStreams.write(TreeBench.run().report)
                return
            }
            let threads = machine.threads
            let bench = CacheBench(
                try EngineStart.settings(model, cache, scheduling, machine).engine,
                files: try EngineStart.source(model).files(),
                backend: { try CPUBackend(kernels: nil, threads: threads, pin: true) })
            if burst {
                try await reportBurst(bench)
                return
            }
            if overhead {
                try await reportOverhead(bench)
                return
            }
            // Every vocabulary has so many ids.
            let workloads = CacheWorkload.all(vocabularySize: 500, scale: scale).filter {
                only.isEmpty || only.contains($0.name)
            }
            var report = CacheBenchReport()
            for workload in workloads { report.lines.append(try await measure(workload, bench)) }
            StandardStreams.write(report.text)
        } catch {
            throw CommandFailure(error)
        }
    }

    private func measure(_ workload: CacheWorkload, _ bench: CacheBench) async throws -> CacheBenchReport.Line {
        var best: (on: CacheBench.Run, off: CacheBench.Run)?
        for _ in 0..<repetitions {
            // In turns, so that a machine that slows down slows both.
            let on = try await bench.run(workload)
            let off = try await bench.run(workload, reuses: false)
            guard let known = best else {
                best = (on, off)
                continue
            }
            if on.seconds < known.on.seconds { best?.on = on }
            if off.seconds < known.off.seconds { best?.off = off }
        }
        guard let best else { throw ValidationError("nothing was measured") }
        var line = CacheBenchReport.Line(workload: workload, cached: best.on, uncached: best.off)
        if pressure {
            for share in [0.5, 0.25] {
                let pool = max(workload.longestSequence + 64, Int(Double(best.on.workingSet) * share))
                for policy in EvictionPolicyName.allCases {
                    line.pressured.append(
                        (share, policy, try await bench.run(workload, poolTokens: pool, policy: policy)))
                }
            }
        }
        return line
    }

    private func reportBurst(_ bench: CacheBench) async throws {
        let burst = try await bench.burst(documentTokens: 2000, questionTokens: 30, questions: 16, rounds: repetitions)
        StandardStreams.write(
            """
            16 questions of 30 tokens at once on a fresh document of 2,000 tokens: \(milliseconds(burst.together))
            the document alone: \(milliseconds(burst.document)), the questions alone, one by one, \
            with the document cached: \(milliseconds(burst.questions))
            ratio: \(burst.ratio.fixed(3))

            """)
    }

    private func reportOverhead(_ bench: CacheBench) async throws {
        let (prompts, tokens, answer) = (8, max(1, Int(1000 * scale)), 4)
        let pairs = try await bench.overhead(
            prompts: prompts, promptTokens: tokens, outputTokens: answer, pairs: pairs)
        let interval = PairedRatio(pairs.map { (without: $0.off, with: $0.on) })
        func percent(_ ratio: Double) -> String { ((ratio - 1) * 100).fixed(2) + "%" }
        StandardStreams.write(
            """
            \(prompts) prompts of \(tokens) tokens that have nothing in common, \(answer) tokens each, \(pairs.count) pairs of rounds
            without the cache: \(milliseconds(pairs.map(\.off).reduce(0, +) / Double(pairs.count))), \
            with it: \(milliseconds(pairs.map(\.on).reduce(0, +) / Double(pairs.count)))
            overhead: \(percent(interval.ratio)), 95% interval \(percent(interval.low)) to \(percent(interval.high))

            """)
    }

    private func milliseconds(_ seconds: Double) -> String { (seconds * 1000).fixed(1) + " ms" }
}
