import Advisor
import Checkpoint
import Compute
import Engine
import EngineBench
import Models
import Radish
import Scheduling
import Tensors

/// Sizes and speeds of a model on this machine, before anything is loaded.
struct ModelPlan {
    let name: String
    let files: ModelFiles
    let spec: DecoderSpec
    /// Type that matrices have in memory.
    let dtype: DType
    let layout: KVLayout
    /// In memory.
    let weightBytes: Int
    /// What a step of one sequence reads of them.
    let weightBytesPerStep: Int
    /// Of one layer, on average.
    let layerBytes: Int
    let format: WeightFormat
    /// What most of the weights are in memory.
    let form: String
    let fileBytes: Int
    let availableBytes: Int
    let configuration: EngineConfiguration
    /// Nil: the pool has no room.
    let resolved: ResolvedConfiguration?
    let refusal: String?

    /// - Throws: what is wrong with the model's files or the flags.
    init(_ model: ModelOptions, _ cache: CacheOptions, _ scheduling: SchedulingOptions, _ machine: MachineOptions)
        throws
    {
        let files = try EngineStart.source(model).files()
        let spec = try ModelLoader.spec(files)
        let weights = try ModelLoader.source(files)
        var bytes: [DType: Int] = [:]
        var fileBytes = 0
        for name in weights.names {
            guard let tensor = weights.information(name) else { continue }
            fileBytes += tensor.bytes.count
            if let dtype = tensor.dtype, dtype.isFloatingPoint { bytes[dtype, default: 0] += tensor.bytes.count }
        }
        let dtype = model.dtype.dtype ?? bytes.max { $0.value < $1.value }?.key ?? .bfloat16
        var settings = try EngineStart.settings(model, cache, scheduling, machine).engine
        settings.contextLength = model.contextLength
        let pageSize = settings.pageSize.map { max(16, $0) } ?? 16
        let layout = spec.kvLayout(pageSize: pageSize, dtype: settings.kvCacheDType ?? dtype)
        let format = settings.weightFormat
        let footprint = try WeightFootprint(files, dtype: model.dtype.dtype, format: format)
        let weightBytes = footprint.total
        weightBytesPerStep = footprint.bytesPerStep
        layerBytes = footprint.layers / spec.layerCount
        var bytesOfForms: [String: Int] = [:]
        for (name, form) in footprint.forms { bytesOfForms[form, default: 0] += footprint.bytes[name] ?? 0 }
        form = bytesOfForms.max { ($0.value, $0.key) < ($1.value, $1.key) }?.key ?? dtype.rawValue
        self.format = format
        let available = HostInfo.availableMemory()
        var resolved = try ResolvedConfiguration(settings, modelContext: spec.contextLength)
        var refusal: String?
        do {
            try resolved.resolvePool(
                settings, layout: layout, available: available - weightBytes, weightBytes: weightBytes)
        } catch {
            refusal = ErrorText.describe(error)
        }
        name = EngineStart.source(model).name
        self.files = files
        self.spec = spec
        self.dtype = dtype
        self.layout = layout
        self.weightBytes = weightBytes
        self.fileBytes = fileBytes
        availableBytes = available
        configuration = settings
        self.resolved = refusal == nil ? resolved : nil
        self.refusal = refusal
    }

    /// - Throws: `OptionError.doesNotFit` if there is no room for a pool.
    func requireFit() throws -> ResolvedConfiguration {
        guard let resolved else { throw OptionError.doesNotFit(refusal ?? "the model does not fit this machine") }
        return resolved
    }

    /// The scheduler that `radish serve` would have.
    func schedulerConfiguration(_ resolved: ResolvedConfiguration) -> SchedulerConfiguration {
        EngineLoader.schedulerConfiguration(
            configuration, resolved, pages: max(1, resolved.poolTokens.value / resolved.pageSize.value),
            vocabularySize: spec.vocabularySize, endOfSequenceIDs: [])
    }

    /// Times the steps of an engine that runs sketches of the model: some seconds.
    func measureCosts(_ resolved: ResolvedConfiguration, threads: Int?) async throws -> CostModel {
        let costs = try await StepCalibration(
            configuration, files: files, poolTokens: resolved.poolTokens.value, layerBytes: layerBytes,
            backend: { try CPUBackend(kernels: nil, threads: threads, pin: true) }
        ).measure()
        return CostModel(rows: costs.rows, sampled: costs.sampled, context: costs.context)
    }
}
