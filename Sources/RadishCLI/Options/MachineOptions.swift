import ArgumentParser

/// What of the machine is used.
struct MachineOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Compute threads; all the process may use by default.", valueName: "n"))
    var threads: Int?

    @Option(
        name: .customLong("device"), help: "Where to compute: auto or cpu.")
    var device: Device = .auto

    @Option(
        name: [.customLong("tensor-parallel-size"), .customLong("tp-size"), .customLong("tp")],
        help: .hidden)
    var tensorParallelSize = 1

    func validate() throws {
        guard tensorParallelSize == 1 else {
            throw ValidationError(
                "--tensor-parallel-size \(tensorParallelSize): this build computes on the CPU of one machine; use 1.")
        }
        if let threads, threads < 1 {
            throw ValidationError("--threads \(threads): expected at least 1.")
        }
    }
}

enum Device: String, ExpressibleByArgument, CaseIterable {
    case auto, cpu
}
