import Engine
import EngineInterface
import Logging
import Radish
import Server
import ServiceLifecycle
import TextGeneration

/// Loads the model once the port is open, hands it to the server, and ends the engine when the server has ended.
final class ModelService: Service {
    private let served: ServedModel
    private let logger: Logger
    private let host: String
    /// Contents of the `--prewarm` file.
    private let prewarm: [UInt8]?
    private let load: @Sendable () async throws -> Loaded
    enum Loaded: Sendable {
        case generation(LocalEngine)
        case embedding(EmbeddingService)
    }

    private let (ports, portIsOpen) = AsyncStream.makeStream(of: Int.self)

    init(
        served: ServedModel, logger: Logger, host: String, prewarm: [UInt8]? = nil,
        load: @escaping @Sendable () async throws -> Loaded
    ) {
        self.served = served
        self.logger = logger
        self.host = host
        self.prewarm = prewarm
        self.load = load
    }

    func listening(port: Int) async { portIsOpen.yield(port) }

    func run() async throws {
        let clock = ContinuousClock()
        let start = clock.now
        let loaded: Loaded
        do {
            loaded = try await load()
        } catch {
            served.fail(ErrorText.describe(error))
            throw error
        }
        let example: (path: String, body: String)
        switch loaded {
        case .generation(let engine):
            if let prewarm { await warm(prewarm, engine) }
            served.becomeReady(engine.text)
            announce(engine, seconds: start.duration(to: clock.now) / .seconds(1))
            let messages = #""messages": [{"role": "user", "content": "Hello!"}]"#
            example = ("/v1/chat/completions", #"{"model": "default", \#(messages)}"#)
        case .embedding(let service):
            served.becomeReady(service)
            announce(service.engine.information, seconds: start.duration(to: clock.now) / .seconds(1))
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
