import EngineInterface
import Synchronization
import TextGeneration

/// News of one answer: normally one token.
struct AnswerUpdate: Sendable {
    let index: Int
    var report: CacheReport?
    var text = ""
    var reasoning = ""
    var calls: [CallDelta] = []
    var tokens: [GeneratedToken] = []
    /// The prompt's own tokens, if they were asked for.
    var prompt: [GeneratedToken] = []
    var finish: TextFinish?

    init(index: Int) { self.index = index }

    /// Content, reasoning or calls.
    var hasText: Bool { !text.isEmpty || !reasoning.isEmpty || !calls.isEmpty }

    /// Nothing of the answer itself.
    var isEmpty: Bool { tokens.isEmpty && !hasText && prompt.isEmpty && finish == nil }
}

extension TextEvent {
    fileprivate var isDelta: Bool { if case .delta = self { true } else { false } }
}

/// Between several generations and one slow reader.
///
/// Clients count chunks to measure the time between tokens, so each token is an update of its own. Only for a reader
/// that has fallen behind by `joiningFrom` updates are those of an answer joined: what waits then is its text, once,
/// which the context length bounds.
final class AnswerQueue: Sendable {
    private static let joiningFrom = 16

    struct Batch: Sendable {
        /// In order of arrival.
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
            let last = batch.updates.lastIndex { $0.index == index }
            let position: Int
            if let last, batch.updates.count >= Self.joiningFrom || !event.isDelta || batch.updates[last].isEmpty {
                position = last
            } else {
                position = batch.updates.count
                batch.updates.append(AnswerUpdate(index: index))
            }
            switch event {
            case .started(let report): batch.updates[position].report = report
            case .delta(let delta):
                batch.updates[position].text += delta.text
                batch.updates[position].reasoning += delta.reasoning
                for call in delta.calls { CallDelta.append(call, to: &batch.updates[position].calls) }
                batch.updates[position].tokens += delta.tokens
                batch.updates[position].prompt += delta.prompt
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
