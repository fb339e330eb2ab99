import ArgumentParser
import FoundationEssentials
import LoadBench
import WireTypes

struct BenchServing: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serving",
        abstract: "Load a running server and measure latency and throughput.",
        discussion: """
            radish bench serving --dataset-name random --random-input 512 --random-output 64 --num-prompts 100
            radish bench serving --dataset-name generated-shared-prefix --request-rate 4 --flush-cache
            radish bench serving --backend vllm --port 8000 --tokenizer ./Qwen2.5-0.5B-Instruct --dataset-name random

            Flags, defaults, table and result file are those of SGLang's bench_serving. The result also tells what the
            server's cache held before, what it gave, and what the client itself cost.
            """)

    @OptionGroup(title: "Server") var traffic: TrafficOptions
    @OptionGroup(title: "Work") var workload: WorkloadOptions

    @Option(name: .customLong("base-url"), help: ArgumentHelp("In place of host and port.", valueName: "url"))
    var baseURL: String?

    @Option(help: "Address of the server.") var host = "0.0.0.0"

    @Option(help: "Port of the server; 30000, for vLLM 8000, for llama.cpp 8080.") var port: Int?

    @Option(
        name: .customLong("output-file"),
        help: ArgumentHelp("JSONL file to which one line is added; named like SGLang's by default.", valueName: "file"))
    var outputFile: String?

    @Flag(name: .customLong("output-details"), help: "Also write times and texts of each request.")
    var details = false

    @Option(help: ArgumentHelp("A word for the result line.", valueName: "text")) var tag: String?

    func run() async throws {
        do {
            let address = host == "0.0.0.0" ? "127.0.0.1" : host.contains(":") ? "[\(host)]" : host
            let client = LoadClient(
                baseURL: baseURL ?? "http://\(address):\(port ?? traffic.backend.defaultPort)",
                headers: traffic.headers, threads: traffic.threads)
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(try await measure(client))
            } catch {
                outcome = .failure(error)
            }
            await client.shutdown()
            try outcome.get()
        } catch let error as ValidationError {
            throw error
        } catch {
            throw CommandFailure(error)
        }
    }

    private func measure(_ client: LoadClient) async throws {
        let served = try await ServingBenchmark.waitForModel(client, seconds: traffic.readySeconds)
        let model = traffic.servedModelName ?? traffic.model ?? served ?? "default"
        let codec = try await BenchTokenizer.codec(
            tokenizer: traffic.tokenizer, model: traffic.model, client: client, backend: traffic.backend)
        let items = try workload.items(codec: codec, canSendTokens: traffic.backend.dialect != .chat)
        print("#Input tokens: \(items.reduce(0) { $0 + $1.promptTokens })")
        print("#Output tokens: \(items.reduce(0) { $0 + $1.outputTokens * $1.requestCount })")
        var benchmark = ServingBenchmark(client: client, shape: try traffic.shape(model: model), arrivals: arrivals)
        benchmark.maxConcurrency = traffic.maxConcurrency
        benchmark.warmupRequests = traffic.warmupRequests
        benchmark.flushesCache = traffic.flushesCache
        benchmark.flushSeconds = traffic.flushSeconds
        benchmark.profiles = traffic.profile
        benchmark.seed = UInt64(bitPattern: Int64(workload.seed))
        benchmark.goodputLimits = traffic.goodput.compactMap(Goodput.Limit.init)
        let progress = BenchProgress(
            total: items.reduce(0) { $0 + $1.requestCount }, isHidden: traffic.hidesProgress)
        if traffic.warmupRequests > 0 { print("Starting warmup with \(traffic.warmupRequests) sequences...") }
        StandardStreams.flush()
        var run = try await benchmark.run(
            items, arguments: arguments, retokenize: { codec.encode($0).count }, finished: { progress.add($0) })
        progress.end()
        run.reportsCache = traffic.reportsCache
        var history = BenchHistory()
        history.note(&run, items, server: client.baseURL)
        print("\n" + ServingTable.text(run), terminator: "")
        let file = outputFile ?? ServingRecord.fileName(run.arguments, date: Self.monthAndDay())
        var writer = JSONWriter()
        writer.value(.object(ServingRecord.object(run, details: details)))
        try DatasetFile.append(line: writer.bytes, to: file)
        StandardStreams.note("One line added to \(file)\n")
    }

    private var arrivals: Arrivals {
        if workload.followsTrace { return .trace(slowdown: workload.mooncakeSlowdown) }
        return traffic.requestRate.isInfinite ? .immediate : .poisson(rate: traffic.requestRate)
    }

    private var arguments: ServingRun.Arguments {
        var arguments = ServingRun.Arguments(backend: traffic.backend, datasetName: workload.dataset.rawValue)
        arguments.tag = tag
        arguments.requestRate = workload.followsTrace ? nil : traffic.requestRate
        arguments.maxConcurrency = traffic.maxConcurrency
        arguments.sharegptOutputLength = workload.sharegptOutputLength
        arguments.randomInputLength = workload.randomInputLength
        arguments.randomOutputLength = workload.randomOutputLength
        arguments.randomRangeRatio = workload.randomRangeRatio
        arguments.promptCount = workload.promptCount
        arguments.seed = workload.seed
        return arguments
    }

    private static func timestamp() -> String { Date.now.formatted(.iso8601) }

    private static func monthAndDay() -> String {
        let day = timestamp().prefix(10)
        return String(day.dropFirst(5).prefix(2) + day.suffix(2))
    }
}
