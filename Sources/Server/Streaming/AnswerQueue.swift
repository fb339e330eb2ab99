import EngineInterface
import Synchronization
import TextGeneration

/// News of one answer: normally one token.
struct AnswerUpdate: Sendable {
    let index: Int
    var report: CacheReport?
    var delta = TextDelta()
    var finish: TextFinish?

    init(index: Int, _ delta: TextDelta = TextDelta(), finish: TextFinish? = nil) {
        self.index = index
        self.delta = delta
        self.finish = finish
    }

    var text: String { delta.text }
    var reasoning: String { delta.reasoning }
    var calls: [CallDelta] { delta.calls }
    var tokens: [GeneratedToken] { delta.tokens }
    /// The prompt's own tokens, if they were asked for.
    var prompt: [GeneratedToken] { delta.prompt }

    /// Content, reasoning or calls.
    var hasText: Bool { !text.isEmpty || !reasoning.isEmpty || !calls.isEmpty }

    /// Nothing of the answer itself.
    var isEmpty: Bool { delta.isEmpty && finish == nil }
}

/// Between several generations and one slow reader.
///
/// Clients count chunks to measure the time between tokens, so each token is an update of its own. Only for a reader
/// that has fallen behind by `joiningFrom` updates are those of an answer joined: what waits then is its text, once,
/// which the context length bounds.
/// Joined updates say the same in the same order: where they would not, there are more of them.
final class AnswerQueue: Sendable {
    private static let joiningFrom = 16

    struct Batch: Sendable {
        /// In order of arrival.
        var updates: [AnswerUpdate] = []
        /// Nothing was sent for a while.
        var isKeepAliveDue = false
        var isClientGone = false

        /// - Returns: the place of a new update.
        fileprivate mutating func begin(_ index: Int) -> Int {
            updates.append(AnswerUpdate(index: index))
            return updates.count - 1
        }
    }

    private let pending = Mutex(Batch())
    /// At most one unread signal.
    let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation

    init() { (signals, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1)) }

    func add(_ event: TextEvent, of index: Int) {
        pending.withLock { batch in
            let last = batch.updates.lastIndex { $0.index == index }
            switch event {
            case .started(let report): batch.updates[last ?? batch.begin(index)].report = report
            case .finished(let finish): batch.updates[last ?? batch.begin(index)].finish = finish
            case .delta(let delta):
                let joins = last.map { batch.updates.count >= Self.joiningFrom || batch.updates[$0].isEmpty } ?? false
                if let last, joins, batch.updates[last].delta.append(delta) { break }
                batch.updates.append(AnswerUpdate(index: index, delta))
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
