import EngineInterface
import Synchronization
import TextGeneration

/// What happened to one answer since the last look.
struct AnswerUpdate: Sendable {
    let index: Int
    var report: CacheReport?
    var text = ""
    var tokens: [GeneratedToken] = []
    var finish: TextFinish?

    init(index: Int) { self.index = index }
}

/// Between several generations and one slow reader.
///
/// Events of one answer that were not yet taken are joined, so what waits for a slow client is its text, once, and
/// not a chunk for each token; the context length bounds it.
final class AnswerQueue: Sendable {
    struct Batch: Sendable {
        /// In the order in which the answers first had news.
        var updates: [AnswerUpdate] = []
        /// Nothing was sent for a while.
        var isKeepAliveDue = false
        var isClientGone = false
    }

    private let pending = Mutex(Batch())
    /// At most one unread signal.
    let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation

    init() { (signals, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1)) }

    func add(_ event: TextEvent, of index: Int) {
        pending.withLock { batch in
            let position: Int
            if let known = batch.updates.firstIndex(where: { $0.index == index }) {
                position = known
            } else {
                position = batch.updates.count
                batch.updates.append(AnswerUpdate(index: index))
            }
            switch event {
            case .started(let report): batch.updates[position].report = report
            case .delta(let delta):
                batch.updates[position].text += delta.text
                batch.updates[position].tokens += delta.tokens
            case .finished(let finish): batch.updates[position].finish = finish
            }
        }
        signal.yield()
    }

    func noteSilence() {
        pending.withLock { $0.isKeepAliveDue = true }
        signal.yield()
    }

    func noteClientGone() {
        pending.withLock { $0.isClientGone = true }
        signal.yield()
    }

    /// What waits; then nothing waits any more.
    func take() -> Batch {
        pending.withLock { batch in
            defer { batch = Batch() }
            return batch
        }
    }
}
