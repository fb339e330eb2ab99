import ArgumentParser
import Compute
import Engine
import EngineBench
import EngineInterface
import LoadBench
import Radish
import Statistics
import TextGeneration
import Tokenizers
import WireTypes

struct BenchOfflineThroughput: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "offline-throughput",
        abstract: "Give an engine in this process all prompts at once, and count tokens per second.",
        discussion: """
            radish bench offline-throughput --dataset-name random --random-input 256 --random-output 32 --num-prompts 64
            radish bench offline-throughput --model-path ./Qwen2.5-0.5B --dataset-name generated-shared-prefix \\
                --gsp-num-groups 4 --gsp-prompts-per-group 8

            Flags, table and keys of the result file are those of SGLang's bench_offline_throughput.
            """)

    @Option(help: "engine: in this process. A server is measured by `radish bench serving`.")
    var backend = "engine"

    @Option(
        name: .customLong("result-filename"),
        help: ArgumentHelp("JSONL file to which one line is added.", valueName: "file"))
    var resultFile: String?

    @Flag(name: .customLong("skip-warmup"), help: "Do not run 16 short prompts first.")
    var skipsWarmup = false

    @Flag(name: .customLong("disable-ignore-eos"), help: "Let answers end where the model ends them.")
    var respectsEOS = false

    @Option(
        name: .customLong("extra-request-body"),
        help: ArgumentHelp(
            "Sampling of all requests: temperature, top_p, top_k, min_p, max_new_tokens, ignore_eos.",
            valueName: "JSON"))
    var extraRequestBody: String?

    @OptionGroup(title: "Work") var workload: WorkloadOptions
    @OptionGroup(title: "Model") var model: ModelOptions
    @OptionGroup(title: "Cache") var cache: CacheOptions
    @OptionGroup(title: "Scheduling") var scheduling: SchedulingOptions
    @OptionGroup(title: "Machine") var machine: MachineOptions

    func validate() throws {
        guard backend == "engine" else { throw ValidationError("--backend \(backend): expected engine.") }
        guard workload.turns == 1, workload.dataset != .multiTurn, workload.mooncakeRounds == 1 else {
            throw ValidationError("Conversations wait for answers; use `radish bench serving` for them.")
        }
        _ = try sampling(outputTokens: 1)
    }

    func run() async throws {
        do {
            let files = try EngineStart.source(model).files()
            let assets = try EngineStart.assets(model)
            let codec = try BenchTokenizer.codec(
                model.tokenizerPath.map { .directory($0) } ?? EngineStart.source(model))
            let items = try workload.items(codec: codec, canSendTokens: true)
            let requests = try items.map { item in
                let prompt: [Int32] =
                    switch item.prompt {
                    case .tokens(let ids): ids
                    case .text(let text): assets.tokenizer.encode(text, addSpecialTokens: true)
                    case .messages, .rounds: []
                    }
                return OfflineThroughput.Request(
                    prompt: prompt, sampling: try sampling(outputTokens: item.outputTokens))
            }
            print("#Input tokens: \(requests.reduce(0) { $0 + $1.prompt.count })")
            print("#Output tokens: \(items.reduce(0) { $0 + $1.outputTokens })")
            StandardStreams.flush()
            var settings = try EngineStart.settings(model, cache, scheduling, machine).engine
            // All prompts come at once; that is the point.
            settings.maxQueuedRequests = settings.maxQueuedRequests ?? max(4096, requests.count)
            let threads = machine.threads
            let loading = TerminalProgress()
            let engine = try await EngineLoader.start(
                settings, files: files, endOfSequenceIDs: assets.endOfSequenceIDs,
                backend: { try CPUBackend(kernels: nil, threads: threads, pin: true) },
                availableMemory: { HostInfo.availableMemory() }, progress: { loading.show($0) })
            let outcome: Result<OfflineThroughput.Result, any Error>
            do {
                outcome = .success(try await measure(requests, engine))
            } catch {
                outcome = .failure(error)
            }
            await engine.shutdown()
            let result = try outcome.get()
            print("\n" + result.table, terminator: "")
            if let resultFile { try DatasetFile.append(line: Self.line(result), to: resultFile) }
        } catch let error as ValidationError {
            throw error
        } catch {
            throw CommandFailure(error)
        }
    }

    private func measure(
        _ requests: [OfflineThroughput.Request], _ engine: EngineHandle
    ) async throws -> OfflineThroughput.Result {
        if !skipsWarmup {
            var numbers = RandomSource(seed: 1)
            let length = min(256, max(1, engine.information.contextLength - 17))
            let prompts = (0..<min(16, requests.count)).map { _ in
                (0..<length).map { _ in
                    Int32(truncatingIfNeeded: numbers.next() % UInt64(engine.information.vocabularySize))
                }
            }
            let warmup = try prompts.map {
                try OfflineThroughput.Request(prompt: $0, sampling: sampling(outputTokens: 16))
            }
            _ = try await OfflineThroughput(warmup).run(engine)
        }
        let progress = BenchProgress(total: requests.count, isHidden: false)
        let result = try await OfflineThroughput(requests).run(engine) { progress.addOne() }
        progress.end()
        return result
    }

    private func sampling(outputTokens: Int) throws -> SamplingParameters {
        var sampling = SamplingParameters()
        sampling.temperature = 0
        sampling.maxTokens = max(1, outputTokens)
        sampling.ignoreEOS = !respectsEOS
        guard let extraRequestBody else { return sampling }
        do {
            let fields = try JSONFields(root: try JSONParser.parse(Array(extraRequestBody.utf8)))
            if let value = try fields.number("temperature") { sampling.temperature = Float(value) }
            if let value = try fields.number("top_p") { sampling.topP = Float(value) }
            if let value = try fields.int("top_k") { sampling.topK = value }
            if let value = try fields.number("min_p") { sampling.minP = Float(value) }
            if let value = try fields.int("max_new_tokens") { sampling.maxTokens = value }
            if let value = try fields.bool("ignore_eos") { sampling.ignoreEOS = value }
        } catch {
            throw ValidationError("--extra-request-body: \(error)")
        }
        return sampling
    }

    /// SGLang's keys, in its order, and the hit rate.
    private static func line(_ result: OfflineThroughput.Result) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("backend", "engine")
            writer.field("successful_requests", result.succeeded)
            writer.field("total_latency", result.seconds)
            writer.field("total_input_tokens", result.inputTokens)
            writer.field("total_output_tokens", result.outputTokens)
            writer.field("request_throughput", result.requestThroughput)
            writer.field("input_throughput", result.inputThroughput)
            writer.field("output_throughput", result.outputThroughput)
            writer.field("total_throughput", result.totalThroughput)
            writer.field("last_gen_throughput", result.lastThroughput)
            writer.objectField("radish") { writer in writer.field("cached_prompt_tokens", result.cachedTokens) }
        }
        return writer.bytes
    }
}
