import ArgumentParser
import Engine
import EngineInterface
import Logging
import Radish
import Server
import ServiceLifecycle
import UnixSignals

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve a model behind the OpenAI API.",
        discussion: """
            radish serve                                   the embedded demo model
            radish serve --model-path ./Qwen2.5-0.5B       a Hugging Face directory
            radish serve --config radish.yaml --port 8000  flags from a YAML file

            The port opens at once; until the model is loaded, requests get 503.
            SIGINT or SIGTERM lets running answers finish.
            """)

    @Argument(help: ArgumentHelp("The same as --model-path.", valueName: "dir"))
    var modelDirectory: String?

    @OptionGroup(title: "Model") var model: ModelOptions
    @OptionGroup(title: "Cache") var cache: CacheOptions
    @OptionGroup(title: "Cache tiers") var tiers: TierOptions
    @OptionGroup(title: "Scheduling") var scheduling: SchedulingOptions
    @OptionGroup(title: "Server") var server: ServerOptions
    @OptionGroup(title: "Machine") var machine: MachineOptions

    func validate() throws {
        if modelDirectory != nil, model.modelPath != nil {
            throw ValidationError("The model is given twice: as an argument and with --model-path.")
        }
    }

    func run() async throws {
        do {
            try await serve()
        } catch {
            throw CommandFailure(error)
        }
    }

    private func serve() async throws {
        var model = model
        if let modelDirectory { model.modelPath = modelDirectory }
        let logger = ServerLog.logger(server.logLevel.level, server.logFormat)
        if model.trustRemoteCode {
            logger.notice("--trust-remote-code changes nothing: no code from a model directory is ever run")
        }
        // What can be refused without loading is refused before the port opens.
        let source = EngineStart.source(model)
        var wanted = try EngineStart.settings(model, cache, scheduling, machine)
        wanted.engine.randomSeed = model.randomSeed ?? server.seed
        wanted.engine.tiers = try TierStart.tiers(tiers, logger: logger)
        let settings = wanted
        let kind = try LocalEncoder.kind(source, isEmbedding: model.wantsEmbedding)

        let served = ServedModel()
        let prewarm = try cache.prewarmFile()
        let loader = ModelService(
            served: served, logger: logger, host: server.host, source: source, prewarm: prewarm
        ) { source in
            let progress = TerminalProgress()
            var settings = settings
            settings.engine.modelPath = source.name
            if kind == .generation {
                return .generation(
                    try await LocalEngine.load(source, settings: settings, progress: { progress.show($0) }))
            }
            return .embedding(
                try await LocalEncoder.load(source, kind: kind, settings: settings, progress: { progress.show($0) }))
        }
        let application = ServerApplication(
            configuration: configuration(source), model: served, logger: logger,
            onListening: { port in await loader.listening(port: port) })
        var group = ServiceGroupConfiguration(
            services: [
                .init(service: loader, successTerminationBehavior: .gracefullyShutdownGroup),
                .init(service: application, successTerminationBehavior: .gracefullyShutdownGroup),
            ],
            gracefulShutdownSignals: [.sigint, .sigterm], logger: logger)
        group.maximumGracefulShutdownDuration = .seconds(330)
        try await ServiceGroup(configuration: group).run()
    }

    private func configuration(_ source: ModelSource) -> ServerConfiguration {
        var result = ServerConfiguration(
            servedModelNames: server.servedModelNames.isEmpty ? [source.name] : server.servedModelNames,
            version: radishVersion)
        result.host = server.host
        result.port = server.port
        result.apiKey = server.apiKey
        result.apiKeyFile = server.apiKeyFile
        result.acceptsAnyModel = server.acceptsAnyModel
        result.allowedOrigins = server.allowedOrigins.filter { $0 != "none" }
        if let certificate = server.certificateFile, let key = server.keyFile {
            result.transportSecurity = TransportSecurity(
                certificatePath: certificate, keyPath: key, password: server.keyPassword)
        }
        if let bytes = server.maxRequestBytes { result.maxBodyBytes = bytes }
        if server.logStatsInterval > 0, !server.disableLogStats {
            result.loadLogInterval = .seconds(server.logStatsInterval)
        }
        result.logsRequests = server.logRequests
        result.requestLogLevel = server.logRequestsLevel
        return result
    }
}
