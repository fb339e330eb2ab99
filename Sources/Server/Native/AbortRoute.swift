import EngineInterface
import Hummingbird
import TextGeneration
import WireTypes

/// SGLang's `POST /abort_request`: ends a request by its `rid`, or all with `abort_all`.
struct AbortRoute: Sendable {
    let parts: ServerParts

    func handle(_ request: Request, _ context: ServerContext) async throws -> Response {
        let engine = try parts.model.engine().engine
        let json = try await RequestBodyReading.json(request, context, parts.configuration)
        let name: String
        let all: Bool
        do throws(FieldError) {
            let fields = try JSONFields(root: json)
            all = try fields.bool("abort_all") ?? false
            name = try fields.string("rid") ?? ""
            if !all, name.isEmpty { throw FieldError("rid", .missing) }
        } catch { throw ErrorMapping.failure(error) }
        guard !all else {
            let count = parts.inFlight.count
            parts.inFlight.cutAll()
            return Response { $0.field("aborted", count) }
        }
        let ids = parts.inFlight.generations(of: name)
        for id in ids { engine.abort(requestID: id) }
        // As in SGLang an id that is not running is no error: the request may just have ended.
        return Response { $0.field("aborted", ids.count) }
    }
}
