import Glibc
import Synchronization
package import TextGeneration

/// The model behind the routes, and whether it can be used: the port opens before the weights are loaded.
package final class ServedModel: Sendable {
    package enum Phase: Sendable {
        case loading
        case ready(TextEngine)
        /// Running answers go on, new requests are refused.
        case shuttingDown(TextEngine?)
        /// Loading failed, for this reason.
        case failed(String)
    }

    private let state = Mutex(Phase.loading)
    /// How the requests go, over all endpoints.
    let metrics = RequestMetrics()
    /// Seconds since 1970; the `created` of model lists.
    package let created: Int = time(nil)

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
        state.withLock { phase in
            guard case .loading = phase else { return }
            phase = .ready(ready)
        }
    }

    package func fail(_ reason: String) { state.withLock { $0 = .failed(reason) } }

    func beginShutdown() {
        state.withLock { phase in
            if case .ready(let engine) = phase { phase = .shuttingDown(engine) } else { phase = .shuttingDown(nil) }
        }
    }

    /// The engine, for routes that need one.
    /// - Throws: `RequestFailure` with status 503.
    func engine() throws(RequestFailure) -> TextEngine {
        switch phase {
        case .ready(let engine): return engine
        case .loading: throw .loading
        case .shuttingDown: throw .shuttingDown
        case .failed(let reason): throw .unavailable(reason)
        }
    }
}
