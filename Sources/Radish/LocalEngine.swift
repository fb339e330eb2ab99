import Checkpoint
import Compute
package import Engine
import EngineInterface
package import TextGeneration

/// A model served inside this process: no HTTP, the same engine, prefix cache and text path as the server.
///
/// ```swift
/// let engine = try await LocalEngine.load(.demo)
/// for try await piece in engine.respond(to: "Hello!") { print(piece, terminator: "") }
/// ```
public final class LocalEngine: Sendable {
    /// The text door the server and the commands use.
    package let text: TextEngine
    package let handle: EngineHandle

    private init(text: TextEngine, handle: EngineHandle) {
        self.text = text
        self.handle = handle
    }

    /// Loads the model and runs it once; returns when the first request would be as fast as the second.
    ///
    /// - Throws: an error that names file, tensor, field or setting, and what was expected.
    public static func load(_ source: ModelSource = .demo) async throws -> LocalEngine {
        try await load(source, settings: LocalEngineSettings(EngineConfiguration(modelPath: source.name)))
    }

    package static func load(
        _ source: ModelSource, settings: LocalEngineSettings,
        progress: @escaping @Sendable (EngineLoader.Stage) -> Void = { _ in }
    ) async throws -> LocalEngine {
        let files = try source.files()
        let tokenizerFiles = try settings.tokenizerDirectory.map { try ModelFiles.at($0) } ?? files
        let assets = try ModelAssets(
            files: files, tokenizerFiles: tokenizerFiles, chatTemplate: settings.chatTemplate,
            reasoningParser: settings.reasoningParser, toolCallParser: settings.toolCallParser)
        let handle = try await EngineLoader.start(
            settings.engine, files: files, endOfSequenceIDs: assets.endOfSequenceIDs,
            backend: { [kernels = settings.kernels, threads = settings.threads, pin = settings.pinThreads] in
                try CPUBackend(kernels: kernels, threads: threads, pin: pin)
            },
            availableMemory: { HostInfo.availableMemory() }, progress: progress)
        let text = TextEngine(engine: handle, assets: assets)
        // So that the first constrained request does not wait for it.
        text.grammars.tokenVocabulary()
        return LocalEngine(text: text, handle: handle)
    }

    /// Ends running requests in order and stops the engine.
    public func shutdown() async { await handle.shutdown() }
}

/// Everything an operator may set for a local engine.
package struct LocalEngineSettings: Sendable {
    package var engine: EngineConfiguration
    /// Nil: the model's directory.
    package var tokenizerDirectory: String?
    /// Jinja source in place of the model's own.
    package var chatTemplate: String?
    /// What reads reasoning and calls in answers; nil: what the template shows.
    package var reasoningParser: String?
    package var toolCallParser: String?
    /// Nil: the best path the processor runs.
    package var kernels: String?
    /// Nil: all the process may use.
    package var threads: Int?
    package var pinThreads = true

    package init(_ engine: EngineConfiguration) { self.engine = engine }
}
