import ArgumentParser
import Logging

/// Where and to whom the server answers.
struct ServerOptions: ParsableArguments {
    @Option(help: "Address to listen on; 0.0.0.0 for all.")
    var host = "127.0.0.1"

    @Option(help: "Port to listen on; 0 takes a free one.")
    var port = 30000

    @Option(help: ArgumentHelp("vLLM's name of --random-seed.", valueName: "n"))
    var seed: UInt64?

    @Option(
        name: .customLong("served-model-name"), parsing: .upToNextOption,
        help: ArgumentHelp("Names clients may give as `model`; the first is reported.", valueName: "name"))
    var servedModelNames: [String] = []

    @Option(
        name: .customLong("api-key"),
        help: ArgumentHelp("Requests must carry `Authorization: Bearer <key>`.", valueName: "key"))
    var apiKey: String?

    @Option(
        name: .customLong("api-key-file"),
        help: ArgumentHelp(
            "One `KEY [NAME [REQUESTS_PER_MINUTE]]` a line; read again when it has changed.", valueName: "file"))
    var apiKeyFile: String?

    @Option(
        name: [.customLong("ssl-certfile")],
        help: ArgumentHelp("Certificate chain in PEM form; the server speaks HTTPS then.", valueName: "file"))
    var certificateFile: String?

    @Option(
        name: [.customLong("ssl-keyfile")],
        help: ArgumentHelp("Private key of the certificate, in PEM form.", valueName: "file"))
    var keyFile: String?

    @Option(
        name: [.customLong("ssl-keyfile-password")],
        help: ArgumentHelp("Password of the private key.", valueName: "text"))
    var keyPassword: String?

    @Option(
        name: [.customLong("cors-allow-origins"), .customLong("allowed-origins")], parsing: .upToNextOption,
        help: ArgumentHelp("Web pages that may use the server; \"none\" for no page.", valueName: "origin"))
    var allowedOrigins: [String] = ["*"]

    @Flag(
        name: .customLong("enable-any-model-name"),
        help: "Answer whatever `model` a request names; otherwise an unknown one is a 404.")
    var acceptsAnyModel = false

    @Option(
        name: .customLong("max-request-bytes"),
        help: ArgumentHelp("Largest request body; more gets 413 (default 16 MiB).", valueName: "bytes"))
    var maxRequestBytes: Int?

    @Option(
        name: [.customLong("log-level"), .customLong("uvicorn-log-level")],
        help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel: LogLevel = .info

    @Option(name: .customLong("log-format"), help: "text, or json: one object a line.")
    var logFormat: LogFormat = .text

    @Option(
        name: .customLong("log-stats-interval"),
        help: ArgumentHelp(
            "While there is work, log prefill and decode throughput every so many seconds; 0: never.",
            valueName: "seconds"))
    var logStatsInterval = 10.0

    @Flag(name: .customLong("disable-log-stats"), help: "The same as --log-stats-interval 0.")
    var disableLogStats = false

    @Flag(
        name: [.customLong("log-requests"), .customLong("enable-log-requests")],
        help: "Log one line for each request: sizes, cached tokens, times; no text.")
    var logRequests = false

    @Option(
        name: .customLong("log-requests-level"),
        help: ArgumentHelp("2: log the first 2,048 bytes of each body too, 3: all of it.", valueName: "0-3"))
    var logRequestsLevel = 0

    func validate() throws {
        guard (0...65535).contains(port) else {
            throw ValidationError("--port \(port): expected a number between 0 and 65535.")
        }
        guard (0...86_400).contains(logStatsInterval) else {
            throw ValidationError("--log-stats-interval \(logStatsInterval): expected seconds between 0 and 86400.")
        }
        guard (certificateFile == nil) == (keyFile == nil) else {
            throw ValidationError("--ssl-certfile and --ssl-keyfile belong together.")
        }
    }
}

/// How log lines look.
enum LogFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json
}

/// swift-log's levels, and `warn` as Python spells it.
enum LogLevel: String, ExpressibleByArgument, CaseIterable {
    case trace, debug, info, notice, warning, warn, error, critical

    var level: Logger.Level {
        switch self {
        case .trace: .trace
        case .debug: .debug
        case .info: .info
        case .notice: .notice
        case .warning, .warn: .warning
        case .error: .error
        case .critical: .critical
        }
    }
}
