import HTTPTypes
import Synchronization
import WireTypes

/// Logs the end of a streamed answer, once, whatever ends it: also if the client left before the head could be sent
/// and the body was never asked for.
final class StreamEnd: Sendable {
    private let log: RequestLog
    private let context: ServerContext
    private let method: String
    private let path: String
    private let isLogged = Mutex(false)

    init(log: RequestLog, context: ServerContext, method: String, path: String) {
        self.log = log
        self.context = context
        self.method = method
        self.path = path
    }

    deinit { note(RequestFailure.clientClosed.status) }

    func note(_ status: HTTPResponse.Status, _ usage: Usage? = nil, finish: String = "client_closed") {
        let isFirst = isLogged.withLock { isLogged in
            defer { isLogged = true }
            return !isLogged
        }
        guard isFirst else { return }
        if let usage { context.record.noteEnd(usage, finish: finish) }
        log.end(context, method: method, path: path, status: status.code)
    }
}
