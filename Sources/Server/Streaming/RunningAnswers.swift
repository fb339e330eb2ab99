import EngineInterface
import Synchronization
import TextGeneration

/// The generations that answer one HTTP request: one for each prompt and each of `n` choices.
///
/// Whoever holds this holds the requests: when the last reference goes, because the client went away or a sibling
/// failed, all that have not finished are aborted and the place in `InFlight` is free again.
final class RunningAnswers: Sendable {
    let streams: [AsyncStream<TextEvent>]
    private let engine: TextEngine
    private let ids: [String]
    private let open: Mutex<Set<Int>>
    private let inFlight: InFlight
    private let place: Mutex<Int?>

    /// Submits `requests`, all or none.
    ///
    /// - Throws: `RequestFailure`; what was submitted before the failure is aborted.
    static func start(
        _ requests: [TextRequest], _ engine: TextEngine, _ inFlight: InFlight, _ names: FieldNames
    ) async throws(RequestFailure) -> RunningAnswers {
        let ids = requests.map(\.id)
        let place = try inFlight.enter { for id in ids { engine.engine.abort(requestID: id) } }
        var streams: [AsyncStream<TextEvent>] = []
        for request in requests {
            do {
                streams.append(try await engine.generate(request))
            } catch {
                for id in ids.prefix(streams.count) { engine.engine.abort(requestID: id) }
                inFlight.leave(place)
                throw ErrorMapping.failure(error, names)
            }
        }
        return RunningAnswers(streams: streams, engine: engine, ids: ids, inFlight: inFlight, place: place)
    }

    private init(
        streams: [AsyncStream<TextEvent>], engine: TextEngine, ids: [String], inFlight: InFlight, place: Int
    ) {
        self.streams = streams
        self.engine = engine
        self.ids = ids
        self.inFlight = inFlight
        open = Mutex(Set(streams.indices))
        self.place = Mutex(place)
    }

    deinit { end() }

    /// The answer at `index` has had its last event.
    func noteFinished(_ index: Int) { open.withLock { _ = $0.remove(index) } }

    /// Aborts what still runs. Harmless if called again.
    func end() {
        let left = open.withLock { open in
            defer { open = [] }
            return open
        }
        for index in left { engine.engine.abort(requestID: ids[index]) }
        let place = place.withLock { place in
            defer { place = nil }
            return place
        }
        if let place { inFlight.leave(place) }
    }
}
