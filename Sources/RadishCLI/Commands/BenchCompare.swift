import ArgumentParser
import Compute
import FoundationEssentials
import LoadBench
import WireTypes

struct BenchCompare: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Give two or more running servers the same work, by turns, and say which is better by how much.",
        discussion: """
            radish bench compare radish=http://127.0.0.1:30000 llama.cpp=http://127.0.0.1:8080 \\
                --tokenizer ./Qwen2.5-0.5B-Instruct --dataset-name random --num-prompts 40 --request-rates 1 2 4
            radish bench compare a=http://127.0.0.1:30000 b=vllm@http://127.0.0.1:8000 --dataset-name multi-turn

            Each server is NAME=URL or NAME=BACKEND@URL; the first is what the others are compared with.
            """)

    @Argument(help: ArgumentHelp("Servers: URL, NAME=URL or NAME=BACKEND@URL.", valueName: "server"))
    var servers: [String]

    @Option(help: ArgumentHelp("Runs of each server at each rate; 3 or more for a verdict.", valueName: "n"))
    var repetitions = 5

    @Option(
        name: .customLong("request-rates"), parsing: .upToNextOption,
        help: ArgumentHelp("Rising rates for the throughput-latency curve.", valueName: "n"))
    var rates: [Double] = []

    @Flag(
        name: .customLong("same-prompts"),
        help:
            "Send the same prompts in each repetition; by default each has its own, so that nobody's cache knows them.")
    var samePrompts = false

    @Option(help: ArgumentHelp("HTML file with tables and charts.", valueName: "file"))
    var report = "compare.html"

    @Option(
        name: .customLong("output-file"),
        help: ArgumentHelp("JSONL file to which one line for each run is added.", valueName: "file"))
    var outputFile: String?

    @OptionGroup(title: "Servers") var traffic: TrafficOptions
    @OptionGroup(title: "Work") var workload: WorkloadOptions

    func validate() throws {
        guard servers.count >= 2 else { throw ValidationError("Give at least two servers.") }
        for server in servers where Comparison.Target(server, backend: traffic.backend) == nil {
            throw ValidationError("\(server): expected URL, NAME=URL or NAME=BACKEND@URL.")
        }
        guard repetitions >= 1 else { throw ValidationError("--repetitions \(repetitions): expected at least 1.") }
        for rate in rates where !(rate > 0) { throw ValidationError("--request-rates \(rate): expected above 0.") }
    }

    func run() async throws {
        do {
            let targets = servers.compactMap { Comparison.Target($0, backend: traffic.backend) }
            let clients = targets.map {
                LoadClient(baseURL: $0.url, headers: traffic.headers, threads: traffic.threads)
            }
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(try await measure(targets, clients))
            } catch {
                outcome = .failure(error)
            }
            for client in clients { await client.shutdown() }
            try outcome.get()
        } catch let error as ValidationError {
            throw error
        } catch {
            throw CommandFailure(error)
        }
    }

    private func measure(_ targets: [Comparison.Target], _ clients: [LoadClient]) async throws {
        var models: [String] = []
        for client in clients {
            let served = try await ServingBenchmark.waitForModel(client, seconds: traffic.readySeconds)
            models.append(traffic.servedModelName ?? served ?? traffic.model ?? "default")
        }
        let codec = try await codec(targets, clients)
        let canSendTokens = targets.allSatisfy { $0.backend.dialect != .chat }
        var comparison = Comparison(
            targets: targets, rates: (rates.isEmpty ? [traffic.requestRate] : rates).sorted(), repetitions: repetitions)
        let schedule = comparison.schedule
        var history = BenchHistory()
        for (number, step) in schedule.enumerated() {
            var work = workload
            if !samePrompts {
                // A rate has prompts of its own too.
                let rate = comparison.rates.firstIndex(of: step.rate) ?? 0
                work.seed += step.repetition * comparison.rates.count + rate
            }
            let items = try work.items(codec: codec, canSendTokens: canSendTokens)
            let target = targets[step.target]
            StandardStreams.note("run \(number + 1) of \(schedule.count): \(target.name), \(step.rate) req/s\n")
            var run = try await one(
                target, clients[step.target], models[step.target], items, step.rate, work.seed, codec)
            history.note(&run, items, server: clients[step.target].baseURL)
            try record(run, target, step.repetition)
            comparison.samples.append(
                .init(target: step.target, rate: step.rate, repetition: step.repetition, run: run))
        }
        print(ComparisonTable.text(comparison), terminator: "")
        let page = HTMLReport.page(
            comparison, work: description, machine: "client on \(HostInfo.processorName())",
            command: CommandLine.arguments.map { $0.contains(" ") ? "'\($0)'" : $0 }.joined(separator: " "),
            date: Date.now.formatted(.iso8601))
        try DatasetFile.write(Array(page.utf8), to: report)
        StandardStreams.note("Report: \(report)\n")
    }

    private func one(
        _ target: Comparison.Target, _ client: LoadClient, _ model: String, _ items: [WorkItem], _ rate: Double,
        _ seed: Int, _ codec: PromptCodec
    ) async throws -> ServingRun {
        var shape = try traffic.shape(model: model)
        shape.backend = target.backend
        var benchmark = ServingBenchmark(
            client: client, shape: shape, arrivals: rate.isInfinite ? .immediate : .poisson(rate: rate))
        benchmark.maxConcurrency = traffic.maxConcurrency
        benchmark.warmupRequests = traffic.warmupRequests
        // Where it cannot be emptied, fresh prompts keep the cache out of the comparison.
        benchmark.flushesCache = traffic.flushesCache && target.backend.flushPath != nil
        benchmark.flushSeconds = traffic.flushSeconds
        benchmark.profiles = traffic.profile
        benchmark.seed = UInt64(bitPattern: Int64(seed))
        benchmark.goodputLimits = traffic.goodput.compactMap(Goodput.Limit.init)
        var arguments = ServingRun.Arguments(backend: target.backend, datasetName: workload.dataset.rawValue)
        arguments.requestRate = rate
        arguments.maxConcurrency = traffic.maxConcurrency
        arguments.randomInputLength = workload.randomInputLength
        arguments.randomOutputLength = workload.randomOutputLength
        arguments.randomRangeRatio = workload.randomRangeRatio
        arguments.promptCount = workload.promptCount
        arguments.seed = seed
        arguments.tag = target.name
        let progress = BenchProgress(total: items.reduce(0) { $0 + $1.requestCount }, isHidden: traffic.hidesProgress)
        let run = try await benchmark.run(
            items, arguments: arguments, retokenize: { codec.encode($0).count }, finished: { progress.add($0) })
        progress.end()
        return run
    }

    private func codec(_ targets: [Comparison.Target], _ clients: [LoadClient]) async throws -> PromptCodec {
        var last: (any Error)?
        for (target, client) in zip(targets, clients) {
            do {
                return try await BenchTokenizer.codec(
                    tokenizer: traffic.tokenizer, model: traffic.model, client: client, backend: target.backend)
            } catch {
                last = error
            }
        }
        throw last ?? LoadBenchError.option(flag: "--tokenizer", reason: "expected a directory")
    }

    private func record(_ run: ServingRun, _ target: Comparison.Target, _ repetition: Int) throws {
        guard let outputFile else { return }
        var object = ServingRecord.object(run)
        object.set(
            "compare",
            .object(
                JSONObject([
                    ("name", .string(target.name)), ("url", .string(target.url)), ("repetition", .int(repetition)),
                ])))
        var writer = JSONWriter()
        writer.value(.object(object))
        try DatasetFile.append(line: writer.bytes, to: outputFile)
    }

    private var description: String {
        let kind =
            switch workload.dataset {
            case .random, .randomIDs:
                "\(workload.dataset.rawValue), up to \(workload.randomInputLength) prompt and "
                    + "\(workload.randomOutputLength) answer tokens"
            case .sharedPrefix:
                "\(workload.groups) system prompts of \(workload.systemLength) tokens, "
                    + "\(workload.promptsPerGroup) questions of \(workload.questionLength) each"
            case .multiTurn: "conversations of \(max(4, workload.turns)) rounds"
            case .sharegpt, .custom, .mooncake: "\(workload.dataset.rawValue), \(workload.datasetPath ?? "")"
            }
        let count =
            workload.dataset == .sharedPrefix ? workload.groups * workload.promptsPerGroup : workload.promptCount
        return "\(count) × \(kind)"
    }
}
