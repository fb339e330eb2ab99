import EngineInterface
import Glibc
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
package import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import TextGeneration
import WireTypes

/// The HTTP server. Run it in a `ServiceGroup`: graceful shutdown stops listening, lets running answers finish, and
/// cuts them after `drainTimeout`.
package struct ServerApplication: Service {
    private let configuration: ServerConfiguration
    private let model: ServedModel
    private let logger: Logger
    private let onListening: @Sendable (_ port: Int) async -> Void
    private let inFlight: InFlight

    /// - Parameters:
    ///   - model: may still be loading; routes answer 503 until it is ready.
    ///   - onListening: called once, with the port that is open now.
    package init(
        configuration: ServerConfiguration, model: ServedModel, logger: Logger,
        onListening: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.model = model
        self.logger = logger
        self.onListening = onListening
        inFlight = InFlight(limit: configuration.maxConcurrentRequests)
    }

    /// Returns after a graceful shutdown, when the last answer has been sent.
    ///
    /// - Throws: `ServerError` if the address cannot be listened on.
    package func run() async throws {
        // One thread moves all bytes: the processor's others belong to the model.
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            try await serve(on: group)
        } catch let error as IOError {
            try? await group.shutdownGracefully()
            let reason = String(cString: strerror(error.errnoCode))
            throw ServerError.cannotListen(host: configuration.host, port: configuration.port, reason: reason)
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
        try await group.shutdownGracefully()
    }

    private func serve(on group: any EventLoopGroup) async throws {
        let onListening = onListening
        let idleTimeout = TimeAmount(configuration.idleTimeout)
        let maxBodyBytes = configuration.maxBodyBytes
        let plain = HTTPServerBuilder { responder in
            ConformingChannel(
                base: HTTP1Channel(
                    responder: responder,
                    configuration: .init(additionalChannelHandlers: [ConnectionWatch()], idleTimeout: idleTimeout)),
                maxBodyBytes: maxBodyBytes)
        }
        let server =
            if let security = configuration.transportSecurity {
                try HTTPServerBuilder.tls(plain, tlsConfiguration: security.configuration())
            } else {
                plain
            }
        let application = Application(
            router: try router(), server: server,
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: configuration.port), serverName: "radish", backlog: 1024),
            onServerRunning: { channel in await onListening(channel.localAddress?.port ?? 0) },
            eventLoopGroupProvider: .shared(group), logger: logger)
        let model = model
        let inFlight = inFlight
        let drainTimeout = configuration.drainTimeout
        let logger = logger
        let deadline = DrainDeadline()
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                if let interval = configuration.loadLogInterval {
                    let log = LoadLog(model: model, inFlight: inFlight, logger: logger, interval: interval)
                    group.addTask { await log.run() }
                }
                defer { group.cancelAll() }
                try await application.run()
            }
        } onGracefulShutdown: {
            model.beginShutdown()
            logger.info("shutting down", metadata: ["open_requests": "\(inFlight.count)"])
            deadline.start(after: drainTimeout) {
                logger.warning("cutting requests that are still open", metadata: ["open_requests": "\(inFlight.count)"])
                inFlight.cutAll()
            }
        }
        deadline.cancel()
    }

    private func router() throws -> Router<ServerContext> {
        let log = RequestLog(logger: logger, isEnabled: configuration.logsRequests)
        let parts = ServerParts(
            configuration: configuration, model: model, inFlight: inFlight,
            events: EventStream(configuration: configuration, log: log))
        let routes = Self.routes(parts)
        let router = Router(context: ServerContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: Envelope(configuration: configuration, routes: routes, log: log))
        if configuration.allowedOrigins != [] { router.add(middleware: CrossOrigin()) }
        let key = configuration.apiKey.flatMap { $0.isEmpty ? nil : $0 }
        let keys: APIKeys
        do { keys = try APIKeys(key: key, path: configuration.apiKeyFile) } catch {
            throw ServerError.badKeyFile(error)
        }
        if !keys.isOpen { router.add(middleware: APIKeyCheck(keys: keys, logger: logger)) }
        routes.fill(router)
        return router
    }

    /// Anthropic's and Ollama's.
    private static func otherAPIs(_ parts: ServerParts, _ routes: inout RouteTable) {
        let messages = MessagesRoute(parts: parts)
        routes.post(MessagesRoute.path, handler: messages.handle)
        routes.post(MessagesRoute.path + "/count_tokens", handler: messages.count)
        let ollama = OllamaGeneration(parts: parts)
        routes.post("/api/chat", handler: ollama.chat)
        routes.post("/api/generate", handler: ollama.generate)
        let information = OllamaInformation(parts: parts)
        routes.get("/api/tags", handler: information.tags)
        routes.get("/api/ps", handler: information.running)
        routes.get("/api/version", handler: information.version)
        routes.post("/api/show", handler: information.show)
    }

    /// What operators and the clients of SGLang and vLLM use besides.
    private static func nativeRoutes(_ parts: ServerParts, _ routes: inout RouteTable) {
        let tokens = TokenizeRoutes(parts: parts)
        routes.post("/tokenize", "/v1/tokenize", handler: tokens.tokenize)
        routes.post("/detokenize", "/v1/detokenize", handler: tokens.detokenize)
        let generated = ScoreRoute(parts: parts)
        let paired = RerankRoutes(parts: parts)
        routes.post("/v1/score", "/score") { request, context in
            // Both kinds of models have this path, for bodies of their own.
            parts.model.generates == false
                ? try await paired.score(request, context) : try await generated.handle(request, context)
        }
        routes.post("/v1/rerank", "/rerank", "/v2/rerank", handler: paired.rerank)
        let embeddings = EmbeddingRoutes(parts: parts)
        routes.post("/v1/embeddings", handler: embeddings.embeddings)
        routes.post("/encode", handler: embeddings.encode)
        routes.post("/abort_request", handler: AbortRoute(parts: parts).handle)
        let parse = ParseRoutes(parts: parts)
        routes.post("/parse_function_call", handler: parse.calls)
        routes.post("/separate_reasoning", handler: parse.reasoning)
        let pause = PauseRoutes(parts: parts)
        routes.post("/pause_generation", "/pause", handler: pause.pause)
        routes.post("/continue_generation", "/resume", handler: pause.resume)
        routes.post("/update_weights_from_disk", handler: WeightUpdateRoute(parts: parts).handle)
        let profile = ProfileRoutes(parts: parts)
        routes.any("/start_profile", handler: profile.start)
        routes.any("/stop_profile", handler: profile.stop)
        let load = LoadRoutes(parts: parts)
        routes.get("/get_load", handler: load.list)
        routes.get("/v1/loads", handler: load.loads)
        routes.get("/load", handler: load.serverLoad)
        let sessions = SessionRoutes(parts: parts)
        routes.any("/open_session", handler: sessions.open)
        routes.any("/close_session", handler: sessions.close)
        for refused in RefusedRoutes.post { routes.post(refused.path, handler: RefusedRoutes.handler(refused.reason)) }
        for refused in RefusedRoutes.get { routes.get(refused.path, handler: RefusedRoutes.handler(refused.reason)) }
    }

    private static func routes(_ parts: ServerParts) -> RouteTable {
        var routes = RouteTable()
        routes.post("/v1/chat/completions", handler: ChatCompletionsRoute(parts: parts).handle)
        routes.post("/v1/completions", handler: CompletionsRoute(parts: parts).handle)
        let responses = ResponsesRoute(parts: parts)
        routes.post("/v1/responses", handler: responses.create)
        routes.get(ResponsesRoute.prefix + "**", handler: responses.get)
        routes.delete(ResponsesRoute.prefix + "**", handler: responses.delete)
        routes.post(ResponsesRoute.prefix + "**", handler: responses.cancel)
        routes.get("/v1/models", handler: ModelsRoute(parts: parts).list)
        routes.get(ModelsRoute.prefix + "**", handler: ModelsRoute(parts: parts).one)
        routes.post("/generate", handler: GenerateRoute(parts: parts).handle)
        routes.put("/generate", handler: GenerateRoute(parts: parts).handle)
        let information = InformationRoutes(parts: parts)
        routes.get("/get_model_info", "/model_info", handler: information.modelInfo)
        routes.get("/get_server_info", "/server_info", handler: information.serverInfo)
        routes.get("/version", handler: information.version)
        let health = HealthRoutes(parts: parts)
        routes.get("/health", "/readyz", "/ready", handler: health.health)
        routes.any("/ping", handler: health.health)
        routes.get("/livez", handler: health.alive)
        routes.get("/health_generate", handler: health.generate)
        nativeRoutes(parts, &routes)
        otherAPIs(parts, &routes)
        PageRoutes().add(to: &routes)
        routes.get("/metrics", handler: MetricsRoute(parts: parts).handle)
        let cache = CacheRoutes(parts: parts)
        routes.post("/flush_cache", handler: cache.flush)
        routes.get("/flush_cache", handler: cache.flush)
        routes.post("/reset_prefix_cache", handler: cache.flush)
        routes.get("/cache/explain", handler: cache.explain)
        routes.get("/cache/tree", handler: cache.tree)
        routes.get("/cache/requests", handler: RequestsRoute(parts: parts).handle)
        routes.post("/cache/probe", handler: cache.probe)
        routes.post("/cache/pin", handler: cache.pin)
        routes.get("/cache/pins", handler: cache.pins)
        routes.post("/cache/unpin", handler: cache.unpin)
        return routes
    }
}

/// Why the server did not start.
package enum ServerError: Error, Equatable, Sendable {
    case cannotListen(host: String, port: Int, reason: String)
    /// A certificate or key that cannot be used.
    case badCertificate(path: String, reason: String)
    case badKeyFile(APIKeyFileError)
}
