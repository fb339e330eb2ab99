import Checkpoint
import Compute
package import Engine
import EngineInterface
import Models
package import TextGeneration
import Tokenizers

/// An embedding model or a reranker inside this process.
package enum LocalEncoder {
    /// How a model directory is to be served.
    package enum Kind: Sendable, Equatable {
        case generation
        /// An encoder's own architecture.
        case encoder
        /// A decoder whose last state is the vector.
        case decoder
    }

    /// What the files say: an encoder's architecture, or a decoder with the pooling of sentence-transformers.
    ///
    /// - Parameter isEmbedding: what the operator says; nil: nothing.
    /// - Throws: `CheckpointError`, also for an encoder that is to generate.
    package static func kind(_ source: ModelSource, isEmbedding: Bool?) throws -> Kind {
        let files = try source.files()
        let identity = try ModelIdentity.read(files)
        if EncoderSpec.isEncoder(identity) {
            if isEmbedding == false {
                throw CheckpointError.unsupported(
                    file: identity.file, key: "architectures", found: identity.architectures.joined(separator: ", "),
                    supported: "an encoder does not generate; leave out --task generate")
            }
            return .encoder
        }
        if let isEmbedding { return isEmbedding ? .decoder : .generation }
        return files.contains("modules.json") ? .decoder : .generation
    }

    /// Loads the model and runs it once.
    ///
    /// - Throws: an error that names file, tensor, field or setting, and what was expected.
    package static func load(
        _ source: ModelSource, kind: Kind, settings: LocalEngineSettings,
        progress: @escaping @Sendable (EngineLoader.Stage) -> Void = { _ in }
    ) async throws -> EmbeddingService {
        let files = try source.files()
        let modules = try SentenceModules.read(files)
        let tokenizerFiles = try settings.tokenizerDirectory.map { try ModelFiles.at($0) } ?? files
        guard let json = try tokenizerFiles.contents(of: "tokenizer.json") else {
            throw CheckpointError.missingFile(name: "tokenizer.json", directory: tokenizerFiles.description)
        }
        let tokenizer = try Tokenizer(json: json)
        if kind == .encoder {
            let handle = try await EncoderHandle.start(
                settings.engine, files: files, modules: modules,
                backend: { [kernels = settings.kernels, threads = settings.threads, pin = settings.pinThreads] in
                    try CPUBackend(kernels: kernels, threads: threads, pin: pin)
                }, progress: progress)
            return EmbeddingService(engine: handle, tokenizer: tokenizer)
        }
        var settings = settings
        settings.engine.isEmbedding = true
        let engine = try await LocalEngine.load(source, settings: settings, progress: progress)
        let embedder = try DecoderEmbedder(
            engine.handle, hiddenSize: ModelLoader.spec(files).hiddenSize, modules: modules,
            file: files.path(of: "modules.json"))
        return EmbeddingService(engine: embedder, tokenizer: tokenizer)
    }
}
