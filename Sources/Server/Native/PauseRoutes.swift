import EngineInterface
import Hummingbird
import TextGeneration
import WireTypes

/// SGLang's `/pause_generation` and `/continue_generation`.
struct PauseRoutes: Sendable {
    let parts: ServerParts

    func pause(_ request: Request, _ context: ServerContext) async throws -> Response {
        let engine = try parts.model.engine().engine
        let json = try await RequestBodyReading.optionalJSON(request, context, parts.configuration)
        let mode: PauseMode
        do throws(FieldError) {
            let fields = try JSONFields(root: json ?? .object(JSONObject()))
            switch try fields.string("mode") {
            case nil, "abort"?: mode = .abort
            case "retract"?: mode = .retract
            case "in_place"?: mode = .inPlace
            case let other?:
                throw FieldError("mode", .invalid("'\(other)'; expected \"abort\", \"retract\" or \"in_place\""))
            }
        } catch { throw ErrorMapping.failure(error) }
        await engine.pause(mode)
        return Response {
            $0.field("status", "ok")
            $0.field("message", "Generation paused.")
        }
    }

    func resume(_ request: Request, _ context: ServerContext) async throws -> Response {
        try parts.model.engine().engine.resume()
        return Response {
            $0.field("status", "ok")
            $0.field("message", "Generation continues.")
        }
    }
}
