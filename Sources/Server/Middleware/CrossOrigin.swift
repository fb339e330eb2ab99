import EngineInterface
import HTTPTypes
import Hummingbird
import TextGeneration
import WireTypes

/// Answers the browsers of pages that want to use the server: by default those of any origin, as SGLang and vLLM do.
/// The API key, not the origin, is the guard.
struct CrossOrigin: RouterMiddleware {
    typealias Context = ServerContext

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        guard request.method == .options, request.headers[.origin] != nil else {
            return try await next(request, context)
        }
        var headers = HTTPFields()
        headers[.accessControlAllowMethods] = "GET, HEAD, POST, PUT, DELETE, OPTIONS"
        headers[.accessControlAllowHeaders] = request.headers[.accessControlRequestHeaders] ?? "*"
        headers[.accessControlMaxAge] = "600"
        return Response(status: .noContent, headers: headers)
    }

    static func allow(_ headers: inout HTTPFields, _ request: Request, _ configuration: ServerConfiguration) {
        guard let origin = request.headers[.origin] else { return }
        if configuration.allowedOrigins.contains("*") {
            headers[.accessControlAllowOrigin] = "*"
        } else if configuration.allowedOrigins.contains(origin) {
            headers[.accessControlAllowOrigin] = origin
            headers[.vary] = "origin"
        } else {
            return
        }
        // Clients in a page read when to come back.
        headers[.accessControlExposeHeaders] = "x-request-id, retry-after"
    }
}
