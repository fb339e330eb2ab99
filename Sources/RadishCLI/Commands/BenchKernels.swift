import ArgumentParser
import Compute
import EngineBench
import Tensors

struct BenchKernels: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kernels",
        abstract: "Measure the machine's ceilings, and each kernel's share of them.",
        discussion: """
            radish bench kernels                      all tables, some two minutes
            radish bench kernels --only attention
            RADISH_CPU=avx2 radish bench kernels      a lower path
            """)

    @Option(help: "Tables to make: products, attention, rest.")
    var only: [Table] = []

    @Option(help: "Shapes to measure: 0.5B (Qwen2.5), 1B (Llama 3.2).")
    var shape: [Shape] = Shape.allCases

    @Option(help: ArgumentHelp("Rows of the products.", valueName: "n"))
    var rows: [Int] = [1, 2, 4, 8, 16, 32, 64, 128, 512]

    @Option(help: "Type of the weights: float32, float16, bfloat16, int8, int4, fp8 or mxfp4.")
    var dtype: Element = .bfloat16

    @Option(help: ArgumentHelp("Time for each line.", valueName: "s"))
    var seconds = 0.25

    @OptionGroup(title: "Machine") var machine: MachineOptions

    enum Table: String, ExpressibleByArgument, CaseIterable {
        case products, attention, rest
    }

    enum Shape: String, ExpressibleByArgument, CaseIterable {
        case half = "0.5B"
        case one = "1B"

        var model: ModelShape {
            switch self {
            case .half: .half
            case .one: .one
            }
        }
    }

    enum Element: String, ExpressibleByArgument, CaseIterable {
        case float32, float16, bfloat16, int8, int4, fp8, mxfp4

        /// Of the weights before they are quantized, and of keys and values.
        var dtype: DType { format == .stored ? DType(rawValue: rawValue) ?? .bfloat16 : .bfloat16 }
        var format: WeightFormat { WeightFormat(rawValue: rawValue) ?? .stored }
    }

    func validate() throws {
        for count in rows where count < 1 || count > 1 << 16 {
            throw ValidationError("--rows \(count): expected 1 to 65536.")
        }
        guard seconds > 0, seconds <= 3600 else { throw ValidationError("--seconds \(seconds): expected 0 to 3600.") }
    }

    func run() async throws {
        do {
            let backend = try CPUBackend(kernels: nil, threads: machine.threads, pin: true)
            StandardStreams.write("\(HostInfo.processorName()), kernels \(backend.information.kernels)\n")
            if backend.information.threads > 1 {
                let one = try CPUBackend(kernels: nil, threads: 1, pin: true).measureCeilings()
                StandardStreams.write(one.line)
            }
            let ceilings = try backend.measureCeilings()
            StandardStreams.write(ceilings.line + "\n")
            let models = shape.map(\.model)
            let bench = KernelBench(backend, ceilings: ceilings, models: models, seconds: seconds)
            let tables = only.isEmpty ? Table.allCases : only
            for model in models {
                for table in tables {
                    switch table {
                    case .products:
                        try bench.products(
                            model, dtype: dtype.dtype, format: dtype.format, rows: rows, show: StandardStreams.write)
                    case .attention:
                        try bench.attention(model, dtype: dtype.dtype, show: StandardStreams.write)
                    case .rest: try bench.rest(model, show: StandardStreams.write)
                    }
                }
            }
        } catch {
            throw CommandFailure(error)
        }
    }
}
