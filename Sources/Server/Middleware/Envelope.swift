import EngineInterface
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import TextGeneration
import WireTypes

/// The outermost layer of every response: the request's id, errors as bodies, CORS headers, the log.
struct Envelope: RouterMiddleware {
    typealias Context = ServerContext

    let configuration: ServerConfiguration
    let routes: RouteTable
    let log: RequestLog

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.requestID = RequestIdentity.accepted(request.headers[.xRequestID]) ?? RequestIdentity.random("req_")
        if let trace = RequestIdentity.trace(request.headers[.traceParent]) { context.record.note(trace: trace) }
        var response: Response
        do {
            response = try await next(request, context)
        } catch let lost as ConnectionLost {
            log.end(request, context, status: RequestFailure.clientClosed.status)
            throw lost.underlying
        } catch {
            let failure = failure(error, request, context)
            response = failure.response(ErrorForm(path: request.uri.path), context.requestID)
            // A body would be taken for the next answer.
            if request.method == .head { response = response.createHeadResponse() }
            if failure.closesConnection { Self.closeSoon(context.channel) }
        }
        response.headers[.xRequestID] = context.requestID
        if ErrorForm(path: request.uri.path) == .anthropic { response.headers[.requestID] = context.requestID }
        CrossOrigin.allow(&response.headers, request, configuration)
        if !context.record.streams { log.end(request, context, status: response.status) }
        return response
    }

    private func failure(_ error: any Error, _ request: Request, _ context: ServerContext) -> RequestFailure {
        switch error {
        case let failure as RequestFailure: return failure
        case is CancellationError: return .clientClosed
        case let error as HTTPError where error.status == .notFound:
            let path = request.uri.path
            let allowed = routes.methods(of: path)
            if allowed.isEmpty { return ErrorMapping.unknownPath(path) }
            return ErrorMapping.wrongMethod(request.method.rawValue, path: path, allowed: allowed)
        default:
            context.logger.error(
                "request failed unexpectedly", metadata: ["id": "\(context.requestID)", "error": "\(error)"])
            return ErrorMapping.unexpected
        }
    }

    /// Lets the client read the refusal, but not send the rest of what was refused.
    private static func closeSoon(_ channel: any Channel) {
        channel.eventLoop.scheduleTask(in: .seconds(2)) { channel.close(promise: nil) }
    }
}

/// How the clients of each API read errors.
enum ErrorForm: Sendable {
    case openAI
    /// With `"type": "error"` and the request's id beside it, and words of its own for the kinds.
    case anthropic
    /// `error` is a string.
    case ollama

    init(path: String) {
        if path.hasPrefix(MessagesRoute.path) {
            self = .anthropic
        } else if path.hasPrefix("/api/") {
            self = .ollama
        } else {
            self = .openAI
        }
    }

    func json(_ failure: RequestFailure, _ requestID: String = "") -> [UInt8] {
        guard self != .openAI else { return failure.body.json }
        var writer = JSONWriter()
        writer.object { writer in
            if self == .ollama { return writer.field("error", failure.body.message) }
            writer.field("type", "error")
            writer.name("error")
            failure.anthropicBody.write(to: &writer)
            writer.field("request_id", requestID)
        }
        return writer.bytes
    }
}

extension RequestFailure {
    /// With Anthropic's word for the kind of error, by which its clients choose what to do.
    var anthropicBody: ErrorBody {
        var body = body
        body.type =
            switch status.code {
            case 401: "authentication_error"
            case 404: "not_found_error"
            case 413: "request_too_large"
            case 429: "rate_limit_error"
            case 503: "overloaded_error"
            case 500...: "api_error"
            default: "invalid_request_error"
            }
        return body
    }

    func response(_ form: ErrorForm, _ requestID: String) -> Response {
        var headers: HTTPFields = [.contentType: "application/json"]
        if let retryAfter { headers[.retryAfter] = String(retryAfter) }
        if let allowedMethods { headers[.allow] = allowedMethods }
        if closesConnection { headers[.connection] = "close" }
        if status == .unauthorized { headers[.wwwAuthenticate] = "Bearer" }
        return Response(
            status: status, headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: form.json(self, requestID))))
    }
}

extension Response {
    /// A body that is JSON already.
    init(json: [UInt8]) {
        self.init(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: json)))
    }

    init(_ build: (inout JSONWriter) -> Void) {
        var writer = JSONWriter()
        writer.object(build)
        self.init(json: writer.bytes)
    }
}

extension HTTPField.Name {
    // A constant that is a valid name.
    // swift-format-ignore: NeverForceUnwrap
    static let xRequestID = HTTPField.Name("x-request-id")!
    // As Anthropic's clients look for it.
    // swift-format-ignore: NeverForceUnwrap
    static let requestID = HTTPField.Name("request-id")!
    // swift-format-ignore: NeverForceUnwrap
    static let traceParent = HTTPField.Name("traceparent")!
    // swift-format-ignore: NeverForceUnwrap
    static let xAPIKey = HTTPField.Name("x-api-key")!
}
