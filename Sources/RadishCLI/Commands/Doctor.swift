import ArgumentParser
import Compute
import Engine
import EngineInterface
import Radish

struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what of this machine would be used for a model, and why.")

    @Flag(name: .customLong("no-load"), help: "Describe the machine only; load no model.") var noLoad = false

    @OptionGroup(title: "Model") var model: ModelOptions
    @OptionGroup(title: "Cache") var cache: CacheOptions
    @OptionGroup(title: "Scheduling") var scheduling: SchedulingOptions
    @OptionGroup(title: "Machine") var machine: MachineOptions

    func run() async throws {
        do {
            let backend = try CPUBackend(kernels: nil, threads: machine.threads, pin: true).information
            print("radish \(radishVersion)")
            row("processor", HostInfo.processorName())
            row("kernels", backend.kernels, "available: " + CPUBackend.availableKernelPaths().joined(separator: ", "))
            row("threads", "\(backend.threads)", machine.threads == nil ? HostInfo.threadLimitReason() : "--threads")
            row(
                "memory", "\(HostInfo.availableMemory() >> 20) MiB available",
                "of \(HostInfo.totalMemory() >> 20) MiB, container limits included")
            if noLoad { return }
            let engine = try await EngineStart.load(
                model: model, cache: cache, scheduling: scheduling, machine: machine)
            let information = engine.handle.information
            print("\nmodel \(information.modelPath)")
            row("architecture", information.architecture)
            row("weights", information.dtype)
            let resolved = engine.handle.resolved
            row("context", resolved.contextLength)
            row("KV pool", resolved.poolTokens, unit: " tokens")
            row("page", resolved.pageSize, unit: " tokens")
            row("running requests", resolved.maxRunningRequests)
            row("queued requests", resolved.maxQueuedRequests)
            row("prefill chunk", resolved.chunkedPrefillSize, unit: " tokens")
            await engine.shutdown()
        } catch {
            throw CommandFailure(error)
        }
    }

    private func row(_ name: String, _ value: Resolved<Int>, unit: String = "") {
        row(name, "\(value.value)\(unit)", value.reason)
    }

    private func row(_ name: String, _ value: String, _ reason: String = "") {
        let padding = String(repeating: " ", count: max(1, 18 - name.count))
        print("  \(name)\(padding)\(value)\(reason.isEmpty ? "" : "  (\(reason))")")
    }
}
