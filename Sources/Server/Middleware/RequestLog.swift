import HTTPTypes
import Hummingbird
import Logging

/// One line for each request: sizes, cached tokens and times. No text unless the operator asks for bodies.
struct RequestLog: Sendable {
    let logger: Logger
    let isEnabled: Bool

    /// - Parameter status: 499 if the client went away.
    func end(_ request: Request, _ context: ServerContext, status: HTTPResponse.Status) {
        end(context, method: request.method.rawValue, path: request.uri.path, status: status.code)
    }

    func end(_ context: ServerContext, method: String, path: String, status: Int) {
        guard isEnabled else { return }
        var metadata = context.record.metadata
        metadata["id"] = "\(context.requestID)"
        metadata["method"] = "\(method)"
        metadata["path"] = "\(path)"
        metadata["status"] = "\(status)"
        logger.info("request", metadata: metadata)
    }
}
