import Advisor
import ArgumentParser
import Compute
import Engine
import EngineBench
import Models
import Radish
import Statistics
import Tensors

struct Plan: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what a model would need and do on this machine, before it is loaded.",
        discussion: """
            radish plan --model-path ./Qwen2.5-0.5B-Instruct
            radish plan --model-path ./Llama-3.1-8B --context-length 8192 --users 16

            Sizes come from the model's headers. Speeds are measured here, with the model's own layers, or some of them, and
            random weights: none is read.
            """)

    @Option(
        help: ArgumentHelp("Users at the same time, each with a full context; for what has to fit.", valueName: "n"))
    var users: Int?

    @Option(name: .customLong("input-len"), help: ArgumentHelp("Prompt length for the speeds.", valueName: "tokens"))
    var inputLength = 512

    @Flag(help: "Then load the model and measure, to hold the prediction against it.")
    var measure = false

    @OptionGroup(title: "Model") var model: ModelOptions
    @OptionGroup(title: "Cache") var cache: CacheOptions
    @OptionGroup(title: "Scheduling") var scheduling: SchedulingOptions
    @OptionGroup(title: "Machine") var machine: MachineOptions

    func validate() throws {
        if let users, users < 1 { throw ValidationError("--users \(users): expected at least 1.") }
        guard inputLength >= 1 else { throw ValidationError("--input-len \(inputLength): expected at least 1.") }
    }

    func run() async throws {
        do {
            let plan = try ModelPlan(model, cache, scheduling, machine)
            print("\(plan.name): \(plan.spec.architecture), \(plan.spec.layerCount) layers")
            row(
                "weights", ByteText.size(plan.weightBytes),
                "mostly \(plan.form); \(ByteText.size(plan.fileBytes)) on disk")
            let sparse = plan.spec.experts.compactMap { $0 }
            if let experts = sparse.first {
                row(
                    "read for a token", ByteText.size(plan.weightBytesPerStep),
                    "\(experts.rule.chosen) of \(experts.count) experts in \(sparse.count) layers")
            }
            row(
                "KV cache", "\(plan.layout.bytesPerToken) bytes/token",
                "keys and values of \(plan.spec.layerCount) layers")
            row("memory", ByteText.size(plan.availableBytes), "available to this process now")
            let fits = describeFit(plan)
            if let resolved = plan.resolved {
                let costs = try await describeSpeed(plan, resolved)
                StandardStreams.flush()
                if measure { try await compare(plan, costs, resolved) }
            }
            StandardStreams.flush()
            if !fits { throw ExitCode(1) }
        } catch let error as ExitCode {
            throw error
        } catch {
            throw CommandFailure(error)
        }
    }

    /// - Returns: whether everything asked for fits.
    private func describeFit(_ plan: ModelPlan) -> Bool {
        guard plan.weightBytes < plan.availableBytes else {
            print(
                "\nDoes not fit: the weights take \(ByteText.size(plan.weightBytes)), \(ByteText.size(plan.availableBytes)) are available."
            )
            print(
                plan.format == .stored
                    ? "Change: --quantization int4 makes them a quarter or less."
                    : "Change: a smaller model, or a machine with more memory.")
            return false
        }
        guard let resolved = plan.resolved else {
            print("\nDoes not fit: \(plan.refusal ?? "")")
            return false
        }
        let context = resolved.contextLength.value
        let tokens = resolved.poolTokens.value
        row("KV pool", "\(tokens) tokens", resolved.poolTokens.reason)
        row("context", "\(context) tokens", resolved.contextLength.reason)
        let full = tokens / max(1, context)
        row("concurrent users", "\(full)", "each with a full context; shared prefixes count once")
        for part in [4, 16] where context / part >= 256 {
            row("", "\(tokens * part / context)", "each with \(context / part) tokens")
        }
        let wanted = users ?? 1
        if full >= wanted { return true }
        let needed = wanted * context
        let bytes = needed * plan.layout.bytesPerToken + plan.weightBytes
        print(
            "\n\(wanted) \(wanted == 1 ? "user does" : "users do") not fit: \(needed) tokens are needed, the pool has \(tokens)."
        )
        if plan.configuration.maxTotalTokens != nil {
            print("Change: --max-total-tokens \(needed).")
        } else if Double(bytes) < 0.95 * Double(plan.availableBytes) {
            let percent = (Double(bytes) / Double(plan.availableBytes) * 100).rounded(.up) + 1
            print("Change: --mem-fraction-static \((percent / 100).fixed(2)).")
        } else {
            print(
                "Change: --context-length \(max(2, tokens / wanted)), or more memory (\(ByteText.size(bytes)) in all).")
        }
        return false
    }

    /// - Returns: what the predictions were made from.
    private func describeSpeed(_ plan: ModelPlan, _ resolved: ResolvedConfiguration) async throws -> CostModel {
        let (ceilings, threads) = try measureCeilings()
        let costs = try await plan.measureCosts(resolved, threads: machine.threads)
        let prefill = costs.prefill(tokens: inputLength, chunk: resolved.chunkedPrefillSize.value)
        print("\nExpected on \(HostInfo.processorName()), \(threads) threads:")
        let peak = (plan.dtype == .float32 ? nil : ceilings.bfloat16) ?? ceilings.float32
        row(
            "limits", "\((ceilings.readBandwidth * 1e-9).fixed(1)) GB/s",
            "and \((peak * 1e-9).fixed(0)) GFLOP/s, measured now")
        row(
            "prefill", "\((Double(inputLength) / prefill).fixed(0)) tok/s",
            "\(inputLength) tokens: first token after \((prefill * 1000).fixed(0)) ms")
        let context = inputLength + 32
        for batch in Self.batches where fits(batch, context, resolved) {
            let step = costs.decodeStep(sequences: batch, context: context)
            row(
                batch == 1 ? "decode" : "", "\((Double(batch) / step).fixed(1)) tok/s",
                "\(batch) at a time, \(context) tokens of context; \((step * 1000).fixed(1)) ms between tokens")
        }
        return costs
    }

    /// The backend, with its threads, is gone before an engine has its own.
    private func measureCeilings() throws -> (MachineCeilings, threads: Int) {
        let backend = try CPUBackend(kernels: nil, threads: machine.threads, pin: true)
        return (try backend.measureCeilings(seconds: 0.3), backend.information.threads)
    }

    private static let batches = [1, 4, 16]

    private func fits(_ batch: Int, _ context: Int, _ resolved: ResolvedConfiguration) -> Bool {
        batch * context <= resolved.poolTokens.value && context <= resolved.contextLength.value
    }

    /// Predicted and measured seconds, beside each other. The median of the rounds counts, as it does for the prediction.
    private func compare(_ plan: ModelPlan, _ costs: CostModel, _ resolved: ResolvedConfiguration) async throws {
        let chunk = resolved.chunkedPrefillSize.value
        let outputs = 32
        let threads = machine.threads
        var table = TextTable(["", "predicted", "measured", "error"])
        func add(_ name: String, _ predicted: Double, _ measured: Double) {
            table.append([
                name, (predicted * 1000).fixed(2) + " ms", (measured * 1000).fixed(2) + " ms",
                ((predicted / measured - 1) * 100).fixed(1) + "%",
            ])
        }
        for batch in Self.batches where fits(batch, inputLength + outputs, resolved) {
            let run = OneBatch(batchSize: batch, inputLength: inputLength, outputLength: outputs, repetitions: 5)
            let result = try await run.run(
                plan.configuration, files: plan.files,
                backend: { try CPUBackend(kernels: nil, threads: threads, pin: true) })
            if batch == 1 {
                let first = result.rounds.compactMap { $0.firstTokenSeconds.min() }.median
                add("first token, \(inputLength) tokens", costs.prefill(tokens: inputLength, chunk: chunk), first)
            }
            let step = result.rounds.map { $0.decode.seconds / Double(max(1, $0.decode.steps)) }.median
            add(
                "between tokens, \(batch) at a time",
                costs.decodeStep(sequences: batch, context: inputLength + outputs / 2), step)
        }
        print("\n" + table.text, terminator: "")
    }

    private func row(_ name: String, _ value: String, _ reason: String) {
        let left = name + String(repeating: " ", count: max(1, 18 - name.count))
        print("  " + left + value + String(repeating: " ", count: max(1, 20 - value.count)) + reason)
    }
}
