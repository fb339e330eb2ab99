import ArgumentParser
import Compute
import EngineBench
import Radish
import Statistics
import Tensors

struct BenchQuality: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quality",
        abstract: "How far a quantized model is from the one it is made of.",
        discussion: """
            radish bench quality
            radish bench quality --model-path ./Qwen2.5-0.5B --sequences 32

            Texts are sampled from the reference at temperature 1. KL divergence is the mean over all positions, in nats.
            """)

    @Option(help: ArgumentHelp("Texts.", valueName: "n")) var sequences = 16
    @Option(help: ArgumentHelp("Tokens of each.", valueName: "tokens")) var length = 128
    @Option(help: ArgumentHelp("Of the texts.", valueName: "n")) var textSeed: UInt64 = 1

    @OptionGroup(title: "Model") var model: ModelOptions
    @OptionGroup(title: "Machine") var machine: MachineOptions

    func validate() throws {
        guard sequences >= 1, length >= 2 else { throw ValidationError("--sequences and --length: too few.") }
    }

    func run() throws {
        do {
            let source = EngineStart.source(model)
            var quality = QuantizationQuality()
            quality.sequences = sequences
            quality.length = length
            quality.seed = textSeed
            let dtype = model.dtype.dtype ?? .bfloat16
            let rows = try quality.measure(
                source.files(), dtype: dtype,
                schemes: [
                    .init("float16", dtype: .float16), .init("int8", format: .int8), .init("int4", format: .int4),
                    .init("fp8", format: .fp8), .init("mxfp4", format: .mxfp4),
                    .init("KV cache in fp8_e4m3", keyValueDType: .float8e4m3),
                    .init("KV cache in int8", keyValueDType: .int8),
                ], backend: CPUBackend(kernels: nil, threads: machine.threads, pin: true))
            print("\(source.name) against \(dtype.rawValue), \(rows[0].positions) positions\n")
            print("| scheme | KL divergence (nats) | same most likely token |\n| --- | --- | --- |")
            for row in rows {
                print("| \(row.name) | \(row.divergence.fixed(5)) | \((100 * row.agreement).fixed(1))% |")
            }
            StandardStreams.flush()
        } catch {
            throw CommandFailure(error)
        }
    }
}
