import EngineInterface
import HTTPTypes
import Hummingbird
import Logging
import TextGeneration
import WireTypes

/// Lets through what carries a key, and probes, which have none.
struct APIKeyCheck: RouterMiddleware {
    typealias Context = ServerContext

    private static let probes: Set<String> = ["/health", "/livez", "/readyz", "/ready", "/ping"]
    /// The page holds nothing secret; it asks for the key itself. Metrics are open as with SGLang and vLLM, whose scrapers
    /// have no key.
    private static let openPaths: Set<String> = probes.union([
        "/", "/page.css", "/page.js", "/openapi.json", "/metrics",
    ])

    let keys: APIKeys
    let logger: Logger

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        if Self.openPaths.contains(request.uri.path) { return try await next(request, context) }
        guard let given = Self.key(of: request) else {
            throw refusal("This server needs an API key: send 'Authorization: Bearer <key>'.", code: "missing_api_key")
        }
        switch keys.judge(Array(given.utf8), reload: note) {
        case .welcome(let holder):
            context.record.note(key: holder.name)
            return try await next(request, context)
        case .unknown: throw refusal("The API key is wrong.", code: "invalid_api_key")
        case .tooOften(let holder, let retryAfter):
            context.record.note(key: holder.name)
            throw RequestFailure(
                .tooManyRequests,
                ErrorBody(
                    message: "This key may send \(holder.perMinute ?? 0) requests a minute. Try again later.",
                    type: "rate_limit_error", code: "rate_limit_exceeded"),
                retryAfter: retryAfter)
        }
    }

    private func note(_ error: APIKeyFileError?) {
        if let error {
            logger.error("the file of API keys was changed and is not used", metadata: ["error": "\(error)"])
        } else {
            logger.notice("the file of API keys was read again")
        }
    }

    /// Of OpenAI's header, or of Anthropic's.
    private static func key(of request: Request) -> String? {
        if let header = request.headers[.authorization] {
            let parts = header.split(separator: " ", maxSplits: 1)
            return parts.count == 2 && parts[0].lowercased() == "bearer" ? String(parts[1]) : ""
        }
        return request.headers[.xAPIKey]
    }

    private func refusal(_ message: String, code: String) -> RequestFailure {
        RequestFailure(.unauthorized, ErrorBody(message: message, type: "authentication_error", code: code))
    }
}
