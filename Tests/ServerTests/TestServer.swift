import EngineInterface
import Logging
import Server
import ServiceLifecycle
import Synchronization
import TestSupport
import TextGeneration
import WireTypes

/// A server on a port of its own, with a scripted engine behind it.
struct TestServer: Sendable {
    let port: Int
    let engine: ScriptedEngine
    let model: ServedModel
    let logs: LogCollector
    private let group: ServiceGroup

    /// Runs a server as long as `body` runs, then shuts it down in order.
    ///
    /// - Parameter isReady: false leaves the model loading.
    static func run(
        isReady: Bool = true, template: String? = TinyModel.chatML, sampling: SamplingParameters = SamplingParameters(),
        parsers: AnswerParsers = AnswerParsers(), contextLength: Int = TinyModel.information.contextLength,
        configure: (inout ServerConfiguration) -> Void = { _ in },
        statistics: EngineStatistics = EngineStatistics(),
        script: @escaping @Sendable (GenerationRequest) -> ScriptedEngine.Script = { _ in
            .init(ids: TinyModel.ids("hi"))
        },
        _ body: @escaping @Sendable (TestServer) async throws -> Void
    ) async throws {
        var configuration = ServerConfiguration(servedModelNames: ["tiny", "org/tiny"], version: "1.2.3")
        configuration.port = 0
        configure(&configuration)
        var information = TinyModel.information
        information.contextLength = contextLength
        let engine = ScriptedEngine(information: information, statistics: statistics, script: script)
        let model = ServedModel()
        if isReady {
            model.becomeReady(
                TextEngine(
                    engine: engine,
                    assets: try TinyModel.assets(template: template, sampling: sampling, parsers: parsers)))
        }
        let logs = LogCollector()
        var logger = Logger(label: "test") { _ in logs }
        logger.logLevel = .info
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let application = ServerApplication(configuration: configuration, model: model, logger: logger) {
            port.yield($0)
            port.finish()
        }
        let group = ServiceGroup(
            configuration: .init(
                services: [application], logger: Logger(label: "group") { _ in SwiftLogNoOpLogHandler() }))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            tasks.addTask {
                for await number in ports {
                    let server = TestServer(port: number, engine: engine, model: model, logs: logs, group: group)
                    try await body(server)
                }
                await group.triggerGracefulShutdown()
            }
            do {
                while try await tasks.next() != nil {}
            } catch {
                tasks.cancelAll()
                throw error
            }
        }
    }

    func shutDown() async { await group.triggerGracefulShutdown() }

    func connect(reads: Bool = true) async throws -> RawConnection { try await RawConnection(port: port, reads: reads) }

    /// One request on a connection of its own.
    func send(
        _ method: String, _ path: String, headers: [(String, String)] = [], _ body: String = ""
    ) async throws -> RawResponse {
        let connection = try await connect()
        try await connection.send(method, path, headers: headers, body: Array(body.utf8))
        let response = try await connection.response(toHead: method == "HEAD")
        await connection.close()
        return response
    }

    func get(_ path: String, headers: [(String, String)] = []) async throws -> RawResponse {
        try await send("GET", path, headers: headers)
    }

    func post(_ path: String, _ body: String, headers: [(String, String)] = []) async throws -> RawResponse {
        try await send("POST", path, headers: headers, body)
    }
}

/// Keeps log lines for tests to look at.
final class LogCollector: LogHandler, Sendable {
    private let state = Mutex<[String]>([])

    var lines: [String] { state.withLock { $0 } }
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    var logLevel: Logger.Level {
        get { .info }
        set {}
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) {
        let facts = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        state.withLock { $0.append("\(event.message) " + facts.joined(separator: " ")) }
    }
}
