import EngineInterface
import Glibc
import Synchronization
package import TextGeneration

/// The model behind the routes, and whether it can be used: the port opens before the weights are loaded.
package final class ServedModel: Sendable {
    package enum Phase: Sendable {
        case loading
        case ready(TextEngine)
        /// An encoder or reranker, which does not generate.
        case embedding(EmbeddingService)
        /// Running answers go on, new requests are refused.
        case shuttingDown(TextEngine?)
        /// Loading failed, for this reason.
        case failed(String)
    }

    private let state = Mutex(Phase.loading)
    private let loader = Mutex((any WeightLoader)?.none)
    /// How the requests go, over all endpoints.
    let metrics = RequestMetrics()
    /// Times of the requests for vectors and scores.
    let embeddingMetrics = EmbeddingMetrics()
    /// Seconds since 1970; the `created` of model lists.
    package let created: Int = time(nil)
    private let start = ContinuousClock.now

    package init() {}

    package convenience init(_ engine: TextEngine) {
        self.init()
        becomeReady(engine)
    }

    package var phase: Phase { state.withLock { $0 } }

    /// From now on requests are answered.
    package func becomeReady(_ engine: TextEngine) {
        var observed = engine
        observed.observer = metrics
        let ready = observed
        metrics.ready(afterSeconds: (ContinuousClock.now - start).seconds)
        state.withLock { phase in
            guard case .loading = phase else { return }
            phase = .ready(ready)
        }
    }

    /// From now on requests for vectors or scores are answered.
    package func becomeReady(_ service: EmbeddingService) {
        state.withLock { phase in
            guard case .loading = phase else { return }
            phase = .embedding(service)
        }
    }

    /// From now on clients may exchange the model.
    package func allowUpdates(by loader: any WeightLoader) { self.loader.withLock { $0 = loader } }

    /// Nil where the model cannot be exchanged.
    var weightLoader: (any WeightLoader)? { loader.withLock { $0 } }

    /// Requests are refused until `endUpdate`, as while the first model loads.
    /// - Throws: `RequestFailure` with status 503 where no model is ready.
    func beginUpdate() throws(RequestFailure) {
        let failure: RequestFailure? = state.withLock { phase in
            switch phase {
            case .ready:
                phase = .loading
                return nil
            case .embedding(let service): return Self.wrongKind(service.engine.information)
            case .loading: return .loading
            case .shuttingDown: return .shuttingDown
            case .failed(let reason): return .unavailable(reason)
            }
        }
        if let failure { throw failure }
    }

    func endUpdate(_ result: WeightUpdate) {
        switch result {
        case .loaded(let engine), .kept(let engine, _): becomeReady(engine)
        case .lost(let reason): fail(reason)
        }
    }

    package func fail(_ reason: String) { state.withLock { $0 = .failed(reason) } }

    /// What runs goes on to its end, also where it was paused.
    func beginShutdown() {
        let engine: TextEngine? = state.withLock { phase in
            guard case .ready(let engine) = phase else {
                phase = .shuttingDown(nil)
                return nil
            }
            phase = .shuttingDown(engine)
            return engine
        }
        engine?.engine.resume()
    }

    /// The engine, for routes that need one.
    /// - Throws: `RequestFailure` with status 503.
    func engine() throws(RequestFailure) -> TextEngine {
        switch phase {
        case .ready(let engine): return engine
        case .embedding(let service): throw Self.wrongKind(service.engine.information)
        case .loading: throw .loading
        case .shuttingDown: throw .shuttingDown
        case .failed(let reason): throw .unavailable(reason)
        }
    }

    /// What a route wants of an embedding model. Scores come from both kinds, vectors not from rerankers.
    enum EmbeddingUse {
        case vectors
        case scores
    }

    /// - Throws: `RequestFailure` 503, or 400 if the model is of another kind.
    func embeddings(wanting use: EmbeddingUse) throws(RequestFailure) -> EmbeddingService {
        guard case .embedding(let service) = phase else {
            let engine = try engine()
            throw .invalid(
                """
                This server runs \(engine.engine.information.architecture), which generates text. Embeddings and \
                reranking need a model for them: start the server with its --model-path. For scores of single tokens there \
                is /v1/score with label_token_ids.
                """, code: "unsupported_endpoint")
        }
        if use == .vectors, service.engine.information.isReranker { throw Self.wrongKind(service.engine.information) }
        return service
    }

    /// Whether the model generates; nil while it loads.
    var generates: Bool? {
        switch phase {
        case .ready: true
        case .embedding: false
        case .loading, .shuttingDown, .failed: nil
        }
    }

    private static func wrongKind(_ information: EmbeddingInformation) -> RequestFailure {
        let (kind, advice) =
            information.isReranker
            ? ("scores pairs of texts", "Use /v1/rerank or /v1/score.")
            : ("turns texts into vectors", "Use /v1/embeddings.")
        return .invalid(
            "This server runs \(information.architecture), which \(kind) and does nothing else. \(advice)",
            code: "unsupported_endpoint")
    }
}
