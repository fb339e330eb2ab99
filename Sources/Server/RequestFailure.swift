import HTTPTypes
import WireTypes

/// A request that is answered with an error: status and body.
struct RequestFailure: Error {
    var status: HTTPResponse.Status
    var body: ErrorBody
    /// Seconds after which the client may try again.
    var retryAfter: Int?
    var allowedMethods: String?
    /// The rest of the request is not wanted.
    var closesConnection = false

    init(_ status: HTTPResponse.Status, _ body: ErrorBody, retryAfter: Int? = nil) {
        self.status = status
        self.body = body
        self.retryAfter = retryAfter
    }

    static func invalid(_ message: String, parameter: String? = nil, code: String? = nil) -> RequestFailure {
        RequestFailure(.badRequest, ErrorBody(message: message, parameter: parameter, code: code))
    }

    static let loading = RequestFailure(
        .serviceUnavailable,
        ErrorBody(message: "The model is still loading.", type: "service_unavailable", code: "model_loading"),
        retryAfter: 1)

    static let shuttingDown = RequestFailure(
        .serviceUnavailable,
        ErrorBody(message: "The server is shutting down.", type: "service_unavailable", code: "shutting_down"),
        retryAfter: 5)

    static func unavailable(_ reason: String) -> RequestFailure {
        RequestFailure(
            .serviceUnavailable, ErrorBody(message: reason, type: "service_unavailable", code: "model_failed"))
    }

    static func tooManyRequests(limit: Int, what: String) -> RequestFailure {
        RequestFailure(
            .tooManyRequests,
            ErrorBody(
                message: "\(limit) requests are \(what) already, which is the limit. Try again later.",
                type: "rate_limit_error", code: "queue_full"),
            retryAfter: 1)
    }

    static func bodyTooLarge(limit: Int) -> RequestFailure {
        var failure = RequestFailure(
            .contentTooLarge,
            ErrorBody(message: "The request body is larger than \(limit) bytes.", code: "request_too_large"))
        failure.closesConnection = true
        return failure
    }

    /// nginx's status for a client that went away before its answer. Seen only in the log.
    static let clientClosed = RequestFailure(
        HTTPResponse.Status(code: 499, reasonPhrase: "Client Closed Request"),
        ErrorBody(message: "The client closed the connection.", type: "client_closed"))
}
