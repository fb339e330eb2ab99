package import EngineInterface

/// Is told how the requests of a `TextEngine` go, for metrics. Called from many tasks at once; must not wait.
package protocol GenerationObserver: Sendable {
    /// A constraint that was not known yet has been compiled.
    func compiledConstraint(seconds: Double)
    /// Taken in by the engine.
    func submitted()
    /// Admitted to a batch after `queueSeconds` of waiting.
    func started(_ report: CacheReport, queueSeconds: Double)
    /// - Parameter seconds: since submission for the first token, since the one before for all others.
    func token(isFirst: Bool, seconds: Double)
    func finished(_ finish: TextFinish, _ times: GenerationTimes)
}

/// Seconds of a request's life.
package struct GenerationTimes: Sendable {
    package var queue = 0.0
    /// From admission to the first token.
    package var prefill = 0.0
    /// From the first to the last token.
    package var decode = 0.0
    /// From submission to the end.
    package var total = 0.0
}

/// The clock of one request.
struct GenerationTimer {
    private let observer: any GenerationObserver
    private let start = ContinuousClock.now
    private var admitted: ContinuousClock.Instant?
    private var first: ContinuousClock.Instant?
    private var last: ContinuousClock.Instant?

    init(_ observer: any GenerationObserver) {
        self.observer = observer
        observer.submitted()
    }

    mutating func note(_ event: TextEvent) {
        let now = ContinuousClock.now
        switch event {
        case .started(let report):
            admitted = now
            observer.started(report, queueSeconds: start.seconds(to: now))
        case .delta(let delta):
            for _ in delta.tokens {
                observer.token(isFirst: first == nil, seconds: (last ?? start).seconds(to: now))
                if first == nil { first = now }
                last = now
            }
        case .finished(let finish):
            var times = GenerationTimes()
            times.total = start.seconds(to: now)
            if let admitted { times.queue = start.seconds(to: admitted) }
            if let admitted, let first { times.prefill = admitted.seconds(to: first) }
            if let first, let last { times.decode = first.seconds(to: last) }
            observer.finished(finish, times)
        }
    }
}

extension ContinuousClock.Instant {
    func seconds(to later: ContinuousClock.Instant) -> Double { duration(to: later) / .seconds(1) }
}
