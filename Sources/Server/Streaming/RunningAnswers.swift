import EngineInterface
import Synchronization
import TextGeneration

/// The generations that answer one HTTP request: one for each prompt and each of `n` choices.
///
/// A generation ends with its stream: whoever stops reading, because the client went away or a sibling failed, aborts
/// what he no longer reads. Ids are for cutting all at shutdown only, since a client chooses them and may choose one
/// twice.
final class RunningAnswers: Sendable {
    let streams: [AsyncStream<TextEvent>]
    /// Ids of the generations, in order.
    let ids: [String]
    private let inFlight: InFlight
    private let place: Mutex<Int?>

    /// Submits `requests`, all or none.
    ///
    /// - Throws: `RequestFailure`; what was submitted before the failure is aborted with its stream.
    static func start(
        _ requests: [TextRequest], _ engine: TextEngine, _ inFlight: InFlight, _ names: FieldNames
    ) async throws(RequestFailure) -> RunningAnswers {
        let ids = requests.map(\.id)
        let place = try inFlight.enter(ids: ids) { for id in ids { engine.engine.abort(requestID: id) } }
        var streams: [AsyncStream<TextEvent>] = []
        for request in requests {
            do {
                streams.append(try await engine.generate(request))
            } catch {
                inFlight.leave(place)
                throw ErrorMapping.failure(error, names)
            }
        }
        return RunningAnswers(streams: streams, ids: ids, inFlight: inFlight, place: place)
    }

    private init(streams: [AsyncStream<TextEvent>], ids: [String], inFlight: InFlight, place: Int) {
        self.streams = streams
        self.ids = ids
        self.inFlight = inFlight
        self.place = Mutex(place)
    }

    deinit { end() }

    /// Frees the place among the open requests. Harmless if called again.
    func end() {
        let place = place.withLock { place in
            defer { place = nil }
            return place
        }
        if let place { inFlight.leave(place) }
    }
}
