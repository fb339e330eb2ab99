package import Compute
import EngineInterface
import Statistics

extension OneBatchResult {
    /// For a person at a terminal.
    ///
    /// - Parameter ceilings: of this machine; with them, and only then, the operations are listed.
    package func report(ceilings: MachineCeilings?) -> String {
        var text = "model \(engine.modelPath), \(engine.architecture), \(engine.dtype), \(engine.backend)\n"
        text += "loaded in \(loadSeconds.fixed(2)) s"
        if let loadedMemory, let finalMemory {
            text += ", resident \(mebibytes(loadedMemory.now)) MiB (most while loading "
            text += "\(mebibytes(loadedMemory.most))), after the last round \(mebibytes(finalMemory.now)) MiB"
        }
        text += "\nbatch \(batch.batchSize), input \(batch.inputLength), output \(batch.outputLength), "
        text += "\(rounds.count) rounds\n\n"
        var table = TextTable(["", "median", "best"])
        func row(_ name: String, _ unit: String, digits: Int, higher: Bool, _ value: (OneBatchRound) -> Double) {
            let values = rounds.map(value)
            let best = (higher ? values.max() : values.min()) ?? 0
            table.append([name, values.median.fixed(digits) + unit, best.fixed(digits) + unit])
        }
        row("time to first token (mean of the batch)", " ms", digits: 1, higher: false) {
            $0.firstTokenSeconds.reduce(0, +) / Double(max(1, $0.firstTokenSeconds.count)) * 1e3
        }
        row("prefill", " tok/s", digits: 1, higher: true) { $0.prefill.rowsPerSecond }
        if batch.outputLength > 1 {
            row("decode", " tok/s", digits: 1, higher: true) { $0.decode.rowsPerSecond }
            row("decode step", " ms", digits: 2, higher: false) {
                $0.decode.seconds / Double(max(1, $0.decode.steps)) * 1e3
            }
        }
        row("all", " tok/s", digits: 1, higher: true) {
            Double(batch.batchSize * (batch.inputLength + batch.outputLength)) / $0.seconds
        }
        text += table.text
        guard let ceilings else { return text }
        text += "\n" + ceilings.line
        // The fastest round says most about the kernels: others only lose time to the rest of the machine.
        if let best = rounds.min(by: { $0.prefill.seconds < $1.prefill.seconds }) {
            text += "\nprefill: \(best.prefill.steps) steps, best round\n" + operations(best.prefill, ceilings)
        }
        if batch.outputLength > 1, let best = rounds.min(by: { $0.decode.seconds < $1.decode.seconds }) {
            text += "\ndecode: \(best.decode.steps) steps, best round\n" + operations(best.decode, ceilings)
        }
        return text
    }

    /// One line for each kind of operation, times per step.
    private func operations(_ sum: StepSum, _ ceilings: MachineCeilings) -> String {
        let steps = Double(max(1, sum.steps))
        var table = TextTable(["operation", "calls", "ms", "share", "GFLOP/s", "GB/s", "of limit"])
        for (operation, cost) in sum.costs.sorted(by: { $0.value.seconds > $1.value.seconds }) {
            let limit = max(cost.arithmetic / peak(operation, ceilings), cost.bytes / ceilings.readBandwidth)
            table.append([
                operation.name, "\((Double(cost.calls) / steps).fixed(0))", (cost.seconds / steps * 1e3).fixed(3),
                (cost.seconds / sum.seconds).percent,
                cost.arithmetic > 0 ? (cost.arithmetic / cost.seconds * 1e-9).fixed(1) : "",
                cost.bytes > 0 ? (cost.bytes / cost.seconds * 1e-9).fixed(1) : "",
                limit > 0 ? (limit / cost.seconds).percent : "",
            ])
        }
        table.append([
            "outside of operations", "", (sum.outsideSeconds / steps * 1e3).fixed(3),
            (sum.outsideSeconds / sum.seconds).percent,
        ])
        table.append(["step", "", (sum.seconds / steps * 1e3).fixed(3), "100.0%"])
        return table.text
    }

    /// Of what the operation multiplies.
    private func peak(_ operation: Operation, _ ceilings: MachineCeilings) -> Double {
        switch operation {
        case .linear(_, _, let format), .gatedLinear(_, _, let format):
            if format != .stored { return ceilings.int8 ?? ceilings.float32 }
        default: break
        }
        return (engine.dtype == "float32" ? nil : ceilings.bfloat16) ?? ceilings.float32
    }

    private func mebibytes(_ bytes: Int) -> String { "\(bytes >> 20)" }
}

extension Operation {
    var name: String {
        switch self {
        case .embed: "embedding"
        case .rotaryTable: "rotary table"
        case .norm: "norms and residual"
        case .rotateAndStore: "rotary and cache write"
        case .attention: "attention"
        case .gatedSiLU: "gated SiLU"
        case .elements: "scaling, adding and moving rows"
        case .route: "choice of experts"
        case .gather: "gather"
        case .copyPage: "page copies"
        case .sample: "sampling"
        case .linear(let outputs, let inputs, let format):
            "linear \(outputs) x \(inputs)" + (format == .stored ? "" : " \(format.rawValue)")
        case .gatedLinear(let outputs, let inputs, let format):
            "gated linear \(outputs) x \(inputs)" + (format == .stored ? "" : " \(format.rawValue)")
        }
    }
}

extension MachineCeilings {
    package var line: String {
        var text = "ceilings with \(threads) threads: memory \((readBandwidth * 1e-9).fixed(1)) GB/s, "
        text += "float32 \((float32 * 1e-9).fixed(0)) GFLOP/s"
        if let bfloat16 { text += ", bfloat16 \((bfloat16 * 1e-9).fixed(0)) GFLOP/s" }
        if let int8 { text += ", int8 \((int8 * 1e-9).fixed(0)) GOP/s" }
        return text + "\n"
    }
}
