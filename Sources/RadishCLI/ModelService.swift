import Engine
import EngineInterface
import Logging
import Radish
import Server
import ServiceLifecycle
import Synchronization
import TextGeneration

/// Loads the model once the port is open, hands it to the server, and ends the engine when the server has ended.
final class ModelService: Service, WeightLoader {
    private let served: ServedModel
    private let logger: Logger
    private let host: String
    /// Contents of the `--prewarm` file.
    private let prewarm: [UInt8]?
    private let start: @Sendable (ModelSource) async throws -> Loaded
    enum Loaded: Sendable {
        case generation(LocalEngine)
        case embedding(EmbeddingService)
    }

    /// What is served, and from where; no engine where the model is none that generates.
    private let current: Mutex<(source: ModelSource, engine: LocalEngine?)>
    private let (ports, portIsOpen) = AsyncStream.makeStream(of: Int.self)

    init(
        served: ServedModel, logger: Logger, host: String, source: ModelSource, prewarm: [UInt8]? = nil,
        start: @escaping @Sendable (ModelSource) async throws -> Loaded
    ) {
        self.served = served
        self.logger = logger
        self.host = host
        self.prewarm = prewarm
        self.start = start
        current = Mutex((source, nil))
    }

    func listening(port: Int) async { portIsOpen.yield(port) }

    func run() async throws {
        let clock = ContinuousClock()
        let began = clock.now
        let loaded: Loaded
        do {
            loaded = try await start(current.withLock { $0.source })
        } catch {
            served.fail(ErrorText.describe(error))
            throw error
        }
        let example: (path: String, body: String)
        switch loaded {
        case .generation(let engine):
            if let prewarm { await warm(prewarm, engine) }
            current.withLock { $0.engine = engine }
            served.allowUpdates(by: self)
            served.becomeReady(engine.text)
            announce(engine, seconds: began.duration(to: clock.now) / .seconds(1))
            let messages = #""messages": [{"role": "user", "content": "Hello!"}]"#
            example = ("/v1/chat/completions", #"{"model": "default", \#(messages)}"#)
        case .embedding(let service):
            served.becomeReady(service)
            announce(service.engine.information, seconds: began.duration(to: clock.now) / .seconds(1))
            example =
                service.engine.information.isReranker
                ? ("/v1/rerank", #"{"query": "a fruit", "documents": ["an apple", "a car"]}"#)
                : ("/v1/embeddings", #"{"model": "default", "input": "Hello!"}"#)
        }
        var iterator = ports.makeAsyncIterator()
        if let port = await iterator.next() { invite(port, example) }
        // The engine lives as long as the server answers; the process ends with both.
        try? await gracefulShutdown()
    }

    func objection(to path: String) -> String? {
        do {
            let kind = try LocalEncoder.kind(.directory(path), isEmbedding: false)
            return kind == .generation ? nil : "\(path): \(NotAGenerator())"
        } catch { return ErrorText.describe(error) }
    }

    func load(_ path: String) async -> WeightUpdate {
        let earlier = current.withLock { $0.source }
        // Before the new one is loaded: both at once may not fit.
        await current.withLock { state in
            defer { state.engine = nil }
            return state.engine
        }?.shutdown()
        do {
            return .loaded(try await begin(.directory(path)))
        } catch {
            let reason = ErrorText.describe(error)
            logger.error("\(path) cannot be served: \(reason)")
            do { return .kept(try await begin(earlier), reason: reason) } catch {
                return .lost(reason: "\(reason) The earlier model cannot be loaded again: \(ErrorText.describe(error))")
            }
        }
    }

    private func begin(_ source: ModelSource) async throws -> TextEngine {
        let clock = ContinuousClock()
        let began = clock.now
        guard case .generation(let engine) = try await start(source) else { throw NotAGenerator() }
        current.withLock { $0 = (source, engine) }
        announce(engine, seconds: began.duration(to: clock.now) / .seconds(1))
        return engine.text
    }

    /// A line that cannot be used is no reason not to serve.
    private func warm(_ file: [UInt8], _ engine: LocalEngine) async {
        var prompts = 0
        var tokens = 0
        await CachePins.prewarm(file, engine.text) { line, result in
            switch result {
            case .success(let count):
                prompts += 1
                tokens += count
            case .failure(let error): logger.warning("--prewarm, line \(line): \(error.message)")
            }
        }
        logger.info("prewarmed \(prompts) prompts of \(tokens) tokens")
    }

    private func announce(_ engine: LocalEngine, seconds: Double) {
        let information = engine.handle.information
        let resolved = engine.handle.resolved
        let tenths = Int(seconds * 10)
        logger.info(
            """
            \(information.modelPath): \(information.architecture), \(information.dtype), on \(information.backend), \
            loaded in \(tenths / 10).\(tenths % 10) s
            """)
        logger.info(
            """
            max_total_num_tokens=\(information.poolTokens) (\(resolved.poolTokens.reason)), \
            chunked_prefill_size=\(resolved.chunkedPrefillSize.value), \
            max_running_requests=\(resolved.maxRunningRequests.value), context_len=\(information.contextLength)
            """)
    }

    private func announce(_ information: EmbeddingInformation, seconds: Double) {
        let tenths = Int(seconds * 10)
        logger.info(
            """
            \(information.modelPath): \(information.architecture), \(information.dtype), on \(information.backend), \
            loaded in \(tenths / 10).\(tenths % 10) s
            """)
        let kind =
            information.isReranker
            ? "reranker"
            : "embedding_dimension=\(information.dimensions), pooling=\(information.pooling), "
                + "normalized=\(information.isNormalized)"
        logger.info("\(kind), context_len=\(information.contextLength)")
    }

    private func invite(_ port: Int, _ example: (path: String, body: String)) {
        let address = host == "0.0.0.0" || host == "::" ? "127.0.0.1" : host
        logger.info("The server is fired up and ready to roll! http://\(address):\(port)")
        print(
            """

            Radish serves on http://\(address):\(port). Try:

              curl http://\(address):\(port)\(example.path) -H 'content-type: application/json' \\
                -d '\(example.body)'

            """)
        StandardStreams.flush()
    }
}

/// A model of vectors or scores cannot take the place of one that generates.
private struct NotAGenerator: Error, CustomStringConvertible {
    var description: String { "It does not generate text, as the served model does." }
}
