import ArgumentParser
import Compute
import EngineBench
import EngineInterface
import Radish

struct BenchOneBatch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "one-batch",
        abstract: "Feed a batch of random prompts to an engine in this process, and decode.",
        discussion: """
            radish bench one-batch --model-path ./Qwen2.5-0.5B --input-len 512 --output-len 128
            radish bench one-batch --model-path ./Qwen2.5-0.5B --batch-size 1 8 32 --profile
            """)

    @Option(
        name: [.customLong("batch-size"), .customLong("batch")], parsing: .upToNextOption,
        help: ArgumentHelp(
            "Requests at the same time; several numbers are measured one after the other.", valueName: "n"))
    var batchSizes = [1]

    @Option(
        name: [.customLong("input-len"), .customLong("input")],
        help: ArgumentHelp("Prompt tokens of each request.", valueName: "tokens"))
    var inputLength = 512

    @Option(
        name: [.customLong("output-len"), .customLong("output")],
        help: ArgumentHelp("Tokens that each request generates.", valueName: "tokens"))
    var outputLength = 64

    @Option(help: ArgumentHelp("Measured rounds, after one that is not.", valueName: "n"))
    var repetitions = 3

    @Option(help: "0 takes the most likely token.")
    var temperature: Float = 0

    @Option(name: .customLong("top-p"), help: "Tokens that make up this share of the probability.")
    var topP: Float = 1

    @Flag(help: "List the time of each kind of operation, beside what the machine could do at best.")
    var profile = false

    @OptionGroup(title: "Model") var model: ModelOptions
    @OptionGroup(title: "Cache") var cache: CacheOptions
    @OptionGroup(title: "Scheduling") var scheduling: SchedulingOptions
    @OptionGroup(title: "Machine") var machine: MachineOptions

    func validate() throws {
        for (flag, value) in [
            ("--input-len", inputLength), ("--output-len", outputLength), ("--repetitions", repetitions),
        ] + batchSizes.map({ ("--batch-size", $0) }) where value < 1 {
            throw ValidationError("\(flag) \(value): expected at least 1.")
        }
    }

    func run() async throws {
        do {
            let settings = try EngineStart.settings(model, cache, scheduling, machine)
            let files = try EngineStart.source(model).files()
            let threads = machine.threads
            // Before the model takes memory, and in a quiet process.
            let ceilings =
                profile ? try CPUBackend(kernels: nil, threads: threads, pin: true).measureCeilings() : nil
            for batchSize in batchSizes {
                var batch = OneBatch(
                    batchSize: batchSize, inputLength: inputLength, outputLength: outputLength,
                    repetitions: repetitions)
                batch.temperature = temperature
                batch.topP = topP
                let progress = TerminalProgress()
                let result = try await batch.run(
                    settings.engine, files: files,
                    backend: { try CPUBackend(kernels: nil, threads: threads, pin: true) },
                    progress: { progress.show($0) })
                StandardStreams.write(result.report(ceilings: ceilings) + "\n")
            }
        } catch {
            throw CommandFailure(error)
        }
    }
}
