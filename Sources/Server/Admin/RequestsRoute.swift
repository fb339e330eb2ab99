import EngineInterface
import Hummingbird
import TextGeneration
import WireTypes

/// `GET /cache/requests`: the requests that are open and those that were admitted last, with what they found in the
/// cache.
struct RequestsRoute: Sendable {
    let parts: ServerParts

    private static let limit = 100

    func handle(_ request: Request, _ context: ServerContext) async throws -> Response {
        let explanations = try parts.model.engine().explanations
        let open = parts.inFlight.generations
        let isOpen = Set(open)
        let ended = explanations.latest(Self.limit).filter { !isOpen.contains($0.id) }
        return Response { writer in
            writer.arrayField("requests") { writer in
                for id in open.prefix(Self.limit) {
                    let report = explanations.report(id)
                    Self.write(id, report == nil ? "waiting" : "running", report, to: &writer)
                }
                for (id, report) in ended { Self.write(id, "ended", report, to: &writer) }
            }
        }
    }

    private static func write(_ id: String, _ state: String, _ report: CacheReport?, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("id", id)
            writer.field("state", state)
            // Unknown until a request is admitted.
            writer.field("prompt_tokens", report?.promptTokens)
            writer.field("cached_tokens", report?.cachedTokens)
            writer.field("awaited_tokens", report?.awaitedTokens)
        }
    }
}
