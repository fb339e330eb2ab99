import EngineInterface
import Hummingbird
import TextGeneration
import WireTypes

/// SGLang's `/open_session` and `/close_session`.
struct SessionRoutes: Sendable {
    let parts: ServerParts

    /// Answered with the session's id as a JSON string.
    func open(_ request: Request, _ context: ServerContext) async throws -> Response {
        _ = try parts.model.engine()
        let json = try await RequestBodyReading.json(request, context, parts.configuration)
        let id: String
        let streams: Bool
        do throws(FieldError) {
            let fields = try JSONFields(root: json)
            id = try fields.string("session_id") ?? RequestIdentity.random("session-")
            streams = try fields.bool("streaming") ?? false
            // Checked for its type only: the context length bounds a session.
            _ = try fields.int("capacity_of_str_len")
        } catch { throw ErrorMapping.failure(error) }
        guard RequestIdentity.accepted(id) != nil else {
            throw RequestFailure.invalid(
                "A session's id has 1 to 256 visible characters.", parameter: "session_id", code: "invalid_value")
        }
        guard parts.sessions.open(id, streams: streams) else {
            throw RequestFailure.invalid(
                "The session '\(id)' is open already.", parameter: "session_id", code: "duplicate_id")
        }
        var writer = JSONWriter()
        writer.string(id)
        return Response(json: writer.bytes)
    }

    func close(_ request: Request, _ context: ServerContext) async throws -> Response {
        let json = try await RequestBodyReading.json(request, context, parts.configuration)
        let id: String
        do throws(FieldError) {
            guard let found = try JSONFields(root: json).string("session_id") else {
                throw FieldError("session_id", .missing)
            }
            id = found
        } catch { throw ErrorMapping.failure(error) }
        guard parts.sessions.close(id) else {
            throw RequestFailure.invalid(
                "No session '\(id)' is open.", parameter: "session_id", code: "session_not_found")
        }
        return Response { $0.field("success", true) }
    }
}
