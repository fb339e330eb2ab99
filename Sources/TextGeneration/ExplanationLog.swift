package import EngineInterface
import Synchronization
package import Tokenizers

/// The cache reports of the latest requests, by id, with their prompts: explained when somebody asks.
package final class ExplanationLog: Sendable {
    private struct Entry: Sendable {
        var report: CacheReport
        var tokens: [Int32]
        var prompt: TextRequest.Prompt
    }

    private struct State {
        var entries: [String: Entry] = [:]
        /// Ids, oldest first.
        var order: [String] = []
        var tokens = 0
    }

    private static let requestLimit = 1024
    private static let tokenLimit = 1 << 21

    private let state = Mutex(State())

    package init() {}

    /// Keeps a report; an earlier one of the same id is replaced, the oldest ones go when there are too many.
    package func add(_ id: String, _ report: CacheReport, tokens: [Int32], prompt: TextRequest.Prompt) {
        state.withLock { state in
            if let old = state.entries[id] {
                state.tokens -= old.tokens.count
                state.order.removeAll { $0 == id }
            }
            state.entries[id] = Entry(report: report, tokens: tokens, prompt: prompt)
            state.order.append(id)
            state.tokens += tokens.count
            while state.order.count > 1, state.order.count > Self.requestLimit || state.tokens > Self.tokenLimit {
                let oldest = state.order.removeFirst()
                state.tokens -= state.entries.removeValue(forKey: oldest)?.tokens.count ?? 0
            }
        }
    }

    /// The reports of the requests that were admitted last, the latest first.
    package func latest(_ limit: Int) -> [(id: String, report: CacheReport)] {
        state.withLock { state in
            state.order.suffix(limit).reversed().compactMap { id in state.entries[id].map { (id, $0.report) } }
        }
    }

    /// Of a request; nil if it was not admitted yet, or has been forgotten.
    package func report(_ id: String) -> CacheReport? { state.withLock { $0.entries[id]?.report } }

    /// What is known of a request.
    /// - Parameter forTenant: leaves out what would tell one tenant about another.
    /// - Returns: nil if the id is unknown, or has been forgotten.
    package func explanation(_ id: String, forTenant: Bool, tokenizer: Tokenizer) -> CacheExplanation? {
        guard let entry = state.withLock({ $0.entries[id] }) else { return nil }
        return CacheExplanation(
            forTenant ? entry.report.forTenant : entry.report, tokens: entry.tokens, prompt: entry.prompt,
            tokenizer: tokenizer)
    }
}
