import Checkpoint
import Compute
import EngineInterface
import Models
import Tensors

/// The encoder's thread: takes batches and answers them. Confined to it.
final class EncoderRunner {
    private let encoder: TextEncoder
    private let modules: SentenceModules
    private let projection: VectorProjection

    /// - Throws: what is wrong with a projection's files.
    init(_ encoder: TextEncoder, _ modules: SentenceModules?) throws {
        self.encoder = encoder
        self.modules = modules ?? SentenceModules(pooling: .mean, dense: [], normalizes: true)
        projection = try VectorProjection(self.modules, hidden: encoder.spec.hiddenSize)
    }

    /// Pages in weights and buffers, and refuses a checkpoint that yields NaN.
    func check() throws(EngineError) {
        let count = min(encoder.spec.contextLength, 64)
        let tokens = (0..<count).map { Int32($0 * 31 % encoder.spec.vocabularySize) }
        let values = encoder.vectors([EncoderInput(tokens: tokens)], pooling: .mean)[0]
        guard values.allSatisfy(\.isFinite) else {
            throw .selfCheckFailed("\(values.count { !$0.isFinite }) of \(values.count) numbers are not finite")
        }
    }

    func information(
        _ configuration: EngineConfiguration, _ files: ModelFiles
    ) throws -> EmbeddingInformation {
        let spec = encoder.spec
        let isReranker = spec.head != nil
        // The files' own limit is a default: what the positions allow may be asked for.
        var context = min(spec.contextLength, modules.maximumTokens ?? .max)
        if let wanted = configuration.contextLength {
            guard wanted >= 1, wanted <= spec.contextLength else {
                throw EngineError.contextLength(requested: wanted, model: spec.contextLength)
            }
            context = wanted
        }
        let activation = try EncoderConfig.read(files).scoreActivation?.split(separator: ".").last
        let machine = encoder.backendInformation
        return EmbeddingInformation(
            modelPath: configuration.modelPath, architecture: spec.architecture, vocabularySize: spec.vocabularySize,
            contextLength: context, dimensions: isReranker ? 1 : projection.dimensions, isReranker: isReranker,
            isNormalized: modules.normalizes, appliesSigmoid: isReranker && activation != "Identity",
            typeCount: spec.typeCount, pooling: isReranker ? "cls" : modules.pooling.rawValue,
            dtype: configuration.weightFormat == .stored
                ? encoder.weightDType.rawValue : configuration.weightFormat.rawValue,
            backend: "\(machine.name) (\(machine.kernels), \(machine.threads) threads)")
    }

    /// Until the queue is closed and empty.
    func run(_ queue: EmbeddingQueue) {
        while let batch = queue.next(rows: encoder.maximumRows, texts: encoder.maximumTexts) {
            let inputs = batch.map { EncoderInput(tokens: $0.input.tokens, types: $0.input.types) }
            let isScoring = batch[0].job.isScoring
            let results =
                isScoring
                ? encoder.scores(inputs).map { [$0] }
                : encoder.vectors(inputs, pooling: modules.pooling).map(projection.apply)
            for (item, result) in zip(batch, results) { item.job.finish(item.index, result) }
        }
    }
}
