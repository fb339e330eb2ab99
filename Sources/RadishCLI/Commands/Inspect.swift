import ArgumentParser
import Checkpoint
import Compute
import Engine
import Models
import Radish
import Tensors

struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what a model directory or GGUF file holds, and whether and how it would be served here.",
        discussion: """
            radish inspect ./Qwen2.5-0.5B-Instruct
            radish inspect model.gguf --quantization int4

            Reads headers only. Ends with status 1 if the model would not be served.
            """)

    @Argument(help: ArgumentHelp("The same as --model-path.", valueName: "path"))
    var path: String?

    @OptionGroup(title: "Model") var model: ModelOptions
    @OptionGroup(title: "Cache") var cache: CacheOptions
    @OptionGroup(title: "Scheduling") var scheduling: SchedulingOptions
    @OptionGroup(title: "Machine") var machine: MachineOptions

    func run() throws {
        var model = model
        if let path { model.modelPath = path }
        let isServed: Bool
        do {
            let source = EngineStart.source(model)
            let inspection = try ModelInspection(source.files(), served: footprint(model, source))
            Self.row("model", source.name)
            Self.row("family", inspection.architecture)
            Self.row(
                "parameters", "\(inspection.parameters) in \(inspection.groups.reduce(0) { $0 + $1.tensors }) tensors")
            Self.row("weights", "\(ByteText.size(inspection.bytes)) in \(inspection.fileDescription)")
            for (name, value) in ModelInspection.texts(model) { Self.row(name, value) }
            Self.table(inspection)
            isServed = verdict(model, source)
        } catch {
            throw CommandFailure(error)
        }
        StandardStreams.flush()
        if !isServed { throw ExitCode(1) }
    }

    private static func row(_ name: String, _ value: String) {
        print(name + String(repeating: " ", count: max(1, 14 - name.count)) + value)
    }

    /// Nil for what is not served; why not is said elsewhere.
    private func footprint(_ model: ModelOptions, _ source: ModelSource) -> WeightFootprint? {
        do {
            let (files, dtype) = (try source.files(), model.dtype.dtype)
            let format = model.quantization?.format ?? .stored
            return try LocalEncoder.kind(source, isEmbedding: model.wantsEmbedding) == .encoder
                ? WeightFootprint(encoder: files, dtype: dtype, format: format)
                : WeightFootprint(files, dtype: dtype, format: format)
        } catch {
            return nil
        }
    }

    /// Parameters, bytes on disk and in memory, and stored types of each module.
    private static func table(_ inspection: ModelInspection) {
        let width = max(8, inspection.groups.map(\.name.count).max() ?? 0) + 2
        print(
            "\n  module" + String(repeating: " ", count: width - 6) + "  parameters     on disk   in memory  stored as")
        for group in inspection.groups {
            let types = group.types.sorted { $0.key < $1.key }.map { "\($0.value) × \($0.key)" }.joined(separator: ", ")
            let size = ByteText.size(group.bytes)
            let served = group.servedBytes == 0 ? "–" : ByteText.size(group.servedBytes)
            print(
                "  " + group.name + String(repeating: " ", count: width - group.name.count)
                    + String(repeating: " ", count: max(0, 12 - "\(group.parameters)".count)) + "\(group.parameters)  "
                    + String(repeating: " ", count: max(0, 10 - size.count)) + size + "  "
                    + String(repeating: " ", count: max(0, 10 - served.count)) + served + "  " + types)
        }
        print("")
    }

    /// - Returns: whether the model would be served.
    private func verdict(_ model: ModelOptions, _ source: ModelSource) -> Bool {
        do {
            let kind = try LocalEncoder.kind(source, isEmbedding: model.wantsEmbedding)
            let files = try source.files()
            if kind == .encoder {
                let spec = try EncoderLoader.verify(files)
                let modules = try SentenceModules.read(files)
                let context = min(spec.contextLength, modules?.maximumTokens ?? .max)
                Self.row("KV cache", "none: every token sees the whole text")
                Self.row(
                    "served",
                    spec.head == nil
                        ? "yes, as embedding model: /v1/embeddings, pooling \(modules?.pooling.rawValue ?? "mean"), "
                            + "texts up to \(context) tokens"
                        : "yes, as reranker: /v1/rerank and /v1/score, pairs up to \(context) tokens")
                return true
            }
            try ModelLoader.verify(files, needsOutput: kind == .generation)
            let plan = try ModelPlan(model, cache, scheduling, machine)
            Self.row("KV cache", "\(plan.layout.bytesPerToken) bytes per token, \(plan.spec.layerCount) layers")
            let read =
                plan.weightBytesPerStep < plan.weightBytes * 9 / 10
                ? " (\(ByteText.size(plan.weightBytesPerStep)) of it read for a token)" : ""
            Self.row(
                "in memory",
                "\(ByteText.size(plan.weightBytes)) as \(plan.form)\(read), "
                    + "\(ByteText.size(plan.availableBytes)) available")
            guard let resolved = plan.resolved, plan.weightBytes < plan.availableBytes else {
                Self.row("served", "no: \(plan.refusal ?? "the weights do not fit into memory")")
                return false
            }
            Self.row(
                "served",
                (kind == .decoder ? "yes, as embedding model (last token)" : "yes, generating text")
                    + ", context \(resolved.contextLength.value), KV pool of \(resolved.poolTokens.value) tokens")
            return true
        } catch {
            Self.row("served", "no: \(ErrorText.describe(error))")
            return false
        }
    }
}
