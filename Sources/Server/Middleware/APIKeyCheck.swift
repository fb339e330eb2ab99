import EngineInterface
import HTTPTypes
import Hummingbird
import TextGeneration
import WireTypes

/// Lets through what carries the key, and health probes, which have none.
struct APIKeyCheck: RouterMiddleware {
    typealias Context = ServerContext

    private static let probes: Set<String> = ["/health", "/livez", "/readyz", "/ready", "/ping"]

    private let key: [UInt8]

    init(key: String) { self.key = Array(key.utf8) }

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        if Self.probes.contains(request.uri.path) { return try await next(request, context) }
        guard let given = Self.key(of: request) else {
            throw refusal("This server needs an API key: send 'Authorization: Bearer <key>'.", code: "missing_api_key")
        }
        guard isKey(Array(given.utf8)) else { throw refusal("The API key is wrong.", code: "invalid_api_key") }
        return try await next(request, context)
    }

    /// Of OpenAI's header, or of Anthropic's.
    private static func key(of request: Request) -> String? {
        if let header = request.headers[.authorization] {
            let parts = header.split(separator: " ", maxSplits: 1)
            return parts.count == 2 && parts[0].lowercased() == "bearer" ? String(parts[1]) : ""
        }
        return request.headers[.xAPIKey]
    }

    /// Takes the same time wherever the first difference is, so that the key cannot be found byte by byte.
    private func isKey(_ given: [UInt8]) -> Bool {
        guard given.count == key.count else { return false }
        var difference: UInt8 = 0
        for (left, right) in zip(given, key) { difference |= left ^ right }
        return difference == 0
    }

    private func refusal(_ message: String, code: String) -> RequestFailure {
        RequestFailure(.unauthorized, ErrorBody(message: message, type: "authentication_error", code: code))
    }
}
