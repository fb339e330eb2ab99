import EngineInterface
import Hummingbird
import NIOCore
import TextGeneration
import WireTypes

/// `/flush_cache`: forgets every prefix. Refused while requests run, unless `?timeout=` says how long to wait.
struct CacheRoutes: Sendable {
    let parts: ServerParts

    private static let longestWait: Duration = .seconds(60)

    func flush(_ request: Request, _ context: ServerContext) async throws -> Response {
        let engine = try parts.model.engine().engine
        let seconds = request.uri.queryParameters.get("timeout", as: Double.self) ?? 0
        let wait = min(Self.longestWait, .seconds(max(0, seconds.isFinite ? seconds : 0)))
        let deadline = ContinuousClock.now + wait
        while await !engine.flushCache() {
            guard ContinuousClock.now < deadline else {
                throw RequestFailure.invalid(
                    "The cache is in use: requests are running or waiting. Try again, or give '?timeout=' seconds.",
                    code: "cache_in_use")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        return Response(
            status: .ok, headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: "Cache flushed.\n")))
    }
}
