import EngineInterface
import HTTPTypes
import Hummingbird
import TextGeneration
import WireTypes

/// SGLang's `POST /update_weights_from_disk`: another model directory takes the place of the one that is served.
///
/// New requests get 503 with `retry-after` from here to the end, running ones finish first or are ended with
/// `abort_all_requests`. The prefix cache begins anew: what it held belongs to the earlier weights.
struct WeightUpdateRoute: Sendable {
    let parts: ServerParts

    private static let pause = Duration.milliseconds(20)

    func handle(_ request: Request, _ context: ServerContext) async throws -> Response {
        guard let loader = parts.model.weightLoader else {
            throw RequestFailure(
                .badRequest,
                ErrorBody(message: "The model of this server cannot be exchanged.", code: "unsupported_endpoint"))
        }
        let json = try await RequestBodyReading.json(request, context, parts.configuration)
        let path: String
        let aborts: Bool
        do throws(FieldError) {
            let fields = try JSONFields(root: json)
            guard let found = try fields.string("model_path") else { throw FieldError("model_path", .missing) }
            path = found
            aborts = try fields.bool("abort_all_requests") ?? false
            // Formats are found in the files; a cache of other weights is of no use.
            _ = try fields.string("load_format")
            _ = try fields.bool("flush_cache")
        } catch { throw ErrorMapping.failure(error) }
        if let reason = loader.objection(to: path) { return Self.answer(success: false, reason) }
        let open = parts.inFlight.count
        try parts.model.beginUpdate()
        // Whoever asked may go away: half an update would leave the server without a model.
        let parts = parts
        let result = await Task {
            if aborts { parts.inFlight.cutAll() }
            await Self.waitUntilIdle(parts)
            let result = await loader.load(path)
            parts.model.endUpdate(result)
            return result
        }.value
        switch result {
        case .loaded: return Self.answer(success: true, "Serving \(path).", waited: open)
        case .kept(_, let reason): return Self.answer(success: false, "\(reason) The earlier model is served again.")
        case .lost(let reason): throw RequestFailure.unavailable(reason)
        }
    }

    /// Running answers have as long as a shutdown gives them.
    private static func waitUntilIdle(_ parts: ServerParts) async {
        let clock = ContinuousClock()
        var limit = clock.now + parts.configuration.drainTimeout
        while parts.inFlight.count > 0 {
            if clock.now > limit {
                parts.inFlight.cutAll()
                limit = clock.now + parts.configuration.drainTimeout
            }
            try? await Task.sleep(for: pause)
        }
    }

    /// SGLang's form: a status of 400 where it did not work.
    private static func answer(success: Bool, _ message: String, waited: Int = 0) -> Response {
        var response = Response { writer in
            writer.field("success", success)
            writer.field("message", message)
            writer.field("num_paused_requests", waited)
            if !success {
                writer.name("error")
                ErrorBody(message: message, parameter: "model_path", code: "invalid_value").write(to: &writer)
            }
        }
        if !success { response.status = .badRequest }
        return response
    }
}
