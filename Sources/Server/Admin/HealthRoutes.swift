import EngineInterface
import Hummingbird
import TextGeneration
import WireTypes

/// `/health` answers at once whether the model can be used; `/health_generate` really generates a token.
struct HealthRoutes: Sendable {
    let parts: ServerParts

    /// Two tokens of cache under a name of their own, so that probes never show up in anybody's prefixes.
    private static let namespace = "health"

    func health(_ request: Request, _ context: ServerContext) async throws -> Response {
        if parts.model.generates != false { _ = try parts.model.engine() }
        return Response { $0.field("status", "ready") }
    }

    /// Whether the process answers at all, also while the model loads or the server drains.
    func alive(_ request: Request, _ context: ServerContext) async throws -> Response {
        Response { $0.field("status", "alive") }
    }

    func generate(_ request: Request, _ context: ServerContext) async throws -> Response {
        if case .embedding(let service) = parts.model.phase { return try await embed(service, context) }
        let engine = try parts.model.engine()
        var sampling = SamplingParameters()
        sampling.temperature = 0
        sampling.maxTokens = 1
        sampling.ignoreEOS = true
        let probe = TextRequest(
            id: RequestIdentity.random("health-"), prompt: .tokens([0]), sampling: sampling,
            cacheNamespace: Self.namespace, priority: .max)
        let names = FieldNames(prompt: "prompt")
        let limit = parts.configuration.healthTimeout
        let inFlight = parts.inFlight
        let answer: Void? = try await Timer.limit(limit, on: context.channel.eventLoop) {
            let running = try await RunningAnswers.start([probe], engine, inFlight, names)
            _ = try await running.collect(keepsTokens: false, context.record, names)
        }
        guard answer != nil else {
            throw RequestFailure.unavailable("No token was generated within \(limit).")
        }
        return Response { $0.field("status", "ready") }
    }

    /// An encoder's probe: one text, or one pair.
    private func embed(_ service: EmbeddingService, _ context: ServerContext) async throws -> Response {
        let names = FieldNames(prompt: "input")
        let limit = parts.configuration.healthTimeout
        let answer: Void? = try await Timer.limit(limit, on: context.channel.eventLoop) { [parts] in
            _ = try await parts.embed(context, names) { () async throws(RequestError) in
                try await service.scores([("a", "b")]).scores
            }
        }
        guard answer != nil else { throw RequestFailure.unavailable("Nothing was computed within \(limit).") }
        return Response { $0.field("status", "ready") }
    }
}
