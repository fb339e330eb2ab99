/// Where the server listens, for whom, and how much it takes on. The defaults are those of `radish serve`.
package struct ServerConfiguration: Sendable {
    package var host = "127.0.0.1"
    /// 0 takes a free one.
    package var port = 30000
    /// Requests must carry it as a bearer token, except for `/health`. Nil: everybody may.
    package var apiKey: String?
    /// Names a request may give as `model`; the first is the one reported. Never empty.
    package var servedModelNames: [String]
    /// Answers whatever name a request gives, as SGLang does; otherwise an unknown one is a 404.
    package var acceptsAnyModel = false
    /// Web pages of these origins may use the server; `*` stands for all. Empty: none.
    package var allowedOrigins = ["*"]
    /// More keys, each with a name and a rate; see `APIKeys`. Read again when it has changed.
    package var apiKeyFile: String?
    /// Nil: HTTP without TLS.
    package var transportSecurity: TransportSecurity?
    /// Reported by `/version`.
    package var version: String
    /// Shown by `/server_info` as they were given.
    package var launchArguments: [(name: String, value: String)] = []

    /// Largest request body; more is a 413.
    package var maxBodyBytes = 16 << 20
    /// Generating requests that may be open at once; more is a 429. The engine's own queue has its own limit.
    package var maxConcurrentRequests = 4096
    /// A body must have arrived within this time.
    package var bodyTimeout: Duration = .seconds(120)
    /// A connection without a request, or with an unfinished head, is closed after it.
    package var idleTimeout: Duration = .seconds(75)
    /// A silent stream gets a comment after this time, so that proxies keep it open.
    package var keepAliveInterval: Duration = .seconds(15)
    /// After a signal running answers may take this long; then they are cut.
    package var drainTimeout: Duration = .seconds(300)
    /// `/health_generate` gives up after it.
    package var healthTimeout: Duration = .seconds(20)

    /// How often the log says what the engine does, while it does something; nil: never.
    package var loadLogInterval: Duration?
    /// One line in the log for each request.
    package var logsRequests = false
    /// With `logsRequests`: 0 and 1 log sizes and times only, 2 the first 2,048 bytes of each body, 3 all of it.
    package var requestLogLevel = 0

    /// - Parameter servedModelNames: an empty list becomes `["default"]`.
    package init(servedModelNames: [String], version: String) {
        self.servedModelNames = servedModelNames.isEmpty ? ["default"] : servedModelNames
        self.version = version
    }
}
