import Advisor
import ArgumentParser
import Compute
import Engine
import LoadBench
import Models
import Scheduling
import Statistics
import Tensors
import TextGeneration
import Tokenizers

struct Advise: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Read recorded traffic and say what a prefix cache would do for it, and what keeps it from doing more.",
        discussion: """
            radish advise requests.jsonl --model-path ./Qwen2.5-0.5B-Instruct
            radish advise mooncake_trace.jsonl --max-total-tokens 1000000

            Reads, line by line: OpenAI requests (bare, or in a gateway's or batch file's log), SGLang's native requests,
            the logs of `vllm serve --enable-log-requests` and of SGLang's --log-requests, Mooncake traces, and what
            `radish record` wrote.
            --validate predicts the gain of the workloads of `radish bench cache`, then measures it, here and now.
            """)

    @Argument(help: "Files with one request per line, in order of arrival.")
    var logs: [String] = []

    @Flag(
        name: .customLong("validate"),
        help: "Hold the simulation against an engine in this process, on the workloads of `radish bench cache`.")
    var validates = false

    enum Present: String, ExpressibleByArgument, CaseIterable {
        case noCache = "no-cache"
        case prefixCache = "prefix-cache"
    }

    @Option(help: "The present server: no-cache reuses nothing, prefix-cache reuses whole blocks of 16 tokens.")
    var present: Present = .noCache

    @Option(
        name: .customLong("request-rate"),
        help: ArgumentHelp("Arrivals per second, for logs without times (or in place of them).", valueName: "n"))
    var requestRate: Double?

    @Option(
        name: .customLong("max-concurrency"),
        help: ArgumentHelp("Requests open at once, for logs without times.", valueName: "n"))
    var maxConcurrency: Int?

    @Option(
        name: .customLong("output-len"),
        help: ArgumentHelp("Generated tokens, for requests that do not tell.", valueName: "tokens"))
    var outputLength = 128

    @Option(
        name: .customLong("max-requests"),
        help: ArgumentHelp("Simulate the first so many.", valueName: "n"))
    var maxRequests = 2000

    @OptionGroup(title: "Model") var model: ModelOptions
    @OptionGroup(title: "Cache") var cache: CacheOptions
    @OptionGroup(title: "Scheduling") var scheduling: SchedulingOptions
    @OptionGroup(title: "Machine") var machine: MachineOptions

    func validate() throws {
        guard validates || !logs.isEmpty else { throw ValidationError("Give at least one log, or --validate.") }
        if let requestRate, !(requestRate > 0) {
            throw ValidationError("--request-rate \(requestRate): expected above 0.")
        }
        guard outputLength >= 1, maxRequests >= 1 else {
            throw ValidationError("--output-len and --max-requests: expected at least 1.")
        }
    }

    func run() async throws {
        do {
            if validates {
                let validation = try AdviceValidation(model, cache, scheduling, machine)
                let report = try await validation.run()
                print(report.text, terminator: "")
                StandardStreams.flush()
                if !report.holds { throw ExitCode(1) }
                return
            }
            var lines: [[UInt8]] = []
            for log in logs { lines += DatasetFile.lines(try DatasetFile.bytes(log)) }
            let traffic = LogReader.read(lines)
            let cut =
                "are in the log without their whole prompts (SGLang: --log-requests-level 3; vLLM: "
                + "VLLM_LOGGING_LEVEL=DEBUG, no --max-log-len)"
            guard !traffic.requests.isEmpty else {
                throw LoadBenchError.dataset(
                    path: logs[0],
                    reason: traffic.partial > 0
                        ? "its \(traffic.partial) requests \(cut)" : "none of its \(lines.count) lines is a request")
            }
            if traffic.skipped > 0 {
                StandardStreams.note("\(traffic.skipped) lines are no requests and were left out\n")
            }
            if traffic.partial > 0 {
                StandardStreams.note("\(traffic.partial) requests \(cut) and were left out\n")
            }
            print(try await advice(traffic.requests).text, terminator: "")
        } catch let error as ExitCode {
            throw error
        } catch {
            throw CommandFailure(error)
        }
    }

    private func advice(_ requests: [LoggedRequest]) async throws -> Advice {
        let tokenizer = try EngineStart.assets(model).tokenizer
        let plan = try ModelPlan(model, cache, scheduling, machine)
        var reuse = ReuseDistance()
        var finder = DivergenceFinder()
        var simulated: [Simulation.Request] = []
        var outputTokens = 0
        var made: Int32 = 0
        let isTimed = requestRate == nil && requests.contains { $0.time != nil }
        let start = requests.compactMap(\.time).min() ?? 0
        var arrivals = RandomSource(seed: 1)
        var clock = 0.0
        for request in requests {
            let prompt = ids(request, tokenizer)
            if case .text(let segments) = request.prompt { finder.add(segments) }
            let known = request.answer.map { tokenizer.encode($0, addSpecialTokens: false) }
            let count = known?.count ?? request.outputTokens ?? outputLength
            outputTokens += count
            reuse.add(prompt, answer: known ?? [], unknownAnswerTokens: known == nil ? count : 0)
            if simulated.count < maxRequests, !prompt.isEmpty {
                // Made-up ids that no prompt begins with: they take room, and nobody asks for them.
                let answer =
                    known
                    ?? (0..<count).map { _ in
                        made += 1
                        return made % Int32(plan.spec.vocabularySize)
                    }
                if let requestRate { clock += arrivals.exponential(mean: 1 / requestRate) }
                simulated.append(
                    .init(
                        prompt: prompt.map { $0 % Int32(plan.spec.vocabularySize) }, answer: answer,
                        arrival: isTimed ? (request.time ?? start) - start : clock))
            }
        }
        let results = try await simulate(simulated, plan, isTimed: isTimed || requestRate != nil)
        return Advice(
            requests: requests.count, promptTokens: reuse.promptTokens, outputTokens: outputTokens, reuse: reuse,
            finder: finder, poolTokens: plan.resolved?.poolTokens.value ?? 0,
            bytesPerKVToken: plan.layout.bytesPerToken, simulated: results.pair, assumptions: results.assumptions)
    }

    private func simulate(
        _ requests: [Simulation.Request], _ plan: ModelPlan, isTimed: Bool
    ) async throws -> (pair: (without: Simulation.Result, with: Simulation.Result)?, assumptions: [String]) {
        guard let resolved = plan.resolved else {
            return (nil, ["No simulation: \(plan.refusal ?? "the model does not fit")"])
        }
        let costs = try await plan.measureCosts(resolved, threads: machine.threads)
        var configuration = plan.schedulerConfiguration(resolved)
        configuration.maxQueuedRequests = max(configuration.maxQueuedRequests, requests.count)
        let limit = maxConcurrency ?? .max
        let with = Simulation(configuration: configuration, costs: costs).run(requests, maxConcurrency: limit)
        var without = with
        if present == .noCache {
            configuration.disableRadixCache = true
            without = Simulation(configuration: configuration, costs: costs).run(requests, maxConcurrency: limit)
        }
        var assumptions = [
            "Speeds: \(plan.name), \(plan.form), on this machine, the steps of an engine with its settings timed just "
                + "now; for another model or machine, run this there.",
            present == .noCache
                ? "The present server computes as fast as Radish and reuses nothing (--present prefix-cache otherwise)."
                : "The present server has a prefix cache of whole blocks as large as this one: nothing more is to be gained by "
                    + "reuse but the rest of a block for each request.",
            isTimed
                ? "Requests come at the " + (requestRate == nil ? "times of the log." : "rate given.")
                : maxConcurrency.map { "The log has no times: \($0) requests are kept open." }
                    ?? "The log has no times: all requests come at once (--request-rate or --max-concurrency otherwise).",
            "Prompts are counted without the chat template's own tokens.",
        ]
        if requests.count == maxRequests {
            assumptions.append("The first \(maxRequests) requests were simulated (--max-requests).")
        }
        return ((without, with), assumptions)
    }

    private func ids(_ request: LoggedRequest, _ tokenizer: Tokenizer) -> [Int32] {
        switch request.prompt {
        case .tokens(let ids): return ids
        case .text(let segments):
            return tokenizer.encode(segments.map(\.text).joined(), addSpecialTokens: true)
        case .blocks(let hashes, let count):
            return hashes.flatMap { hash -> [Int32] in
                var random = RandomSource(seed: UInt64(bitPattern: Int64(hash)))
                return (0..<count).map { _ in Int32(truncatingIfNeeded: random.next() & 0x3FFF_FFFF) }
            }
        }
    }
}
