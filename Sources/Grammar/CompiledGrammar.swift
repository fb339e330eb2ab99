import Synchronization

/// A constraint made ready for one vocabulary. What it learns while texts are matched (automaton states, pieces of
/// masks) is kept and shared by all its matchers, behind a lock that is held for one operation of one matcher.
package final class CompiledGrammar: Sendable {
    package let vocabulary: TokenVocabulary
    let store: Mutex<GrammarStore>
    let start: Int32

    /// - Throws: `GrammarError.unsatisfiable` when no text matches, `limitExceeded`.
    package init(_ ir: GrammarIR, vocabulary: TokenVocabulary) throws(GrammarError) {
        self.vocabulary = vocabulary
        var store = GrammarStore(ir, vocabulary)
        if ir.builder.exceedsLimit {
            throw .limitExceeded(bound: "maximumExpressions", limit: ir.builder.limits.maximumExpressions)
        }
        store.findDeadNodes(from: ir.root.id)
        let first = store.expand(GrammarStore.Item(kind: .expression, node: ir.root.id, count: 0), 0)
        if let failure = store.failure { throw failure }
        if first.configurations.isEmpty, !first.finishes { throw .unsatisfiable }
        start = store.intern(first.configurations, finishes: first.finishes)
        self.store = Mutex(store)
    }

    /// An estimate of the memory it holds now, in bytes; it grows with use, within `GrammarLimits`.
    package var byteCount: Int { store.withLock { $0.byteCount } }

    /// What went wrong in a part that was made while matching; that part then matches nothing. Nil if all is well.
    package var failure: GrammarError? { store.withLock { $0.failure } }

    /// A matcher at the start of the text.
    package func makeMatcher() -> GrammarMatcher { GrammarMatcher(self) }
}

extension GrammarStore {
    var byteCount: Int {
        let arena = builder.nodes.count * 96 + builder.leaves.count * 96 + builder.rules.count * 48
        let conts = continuations.count * 80
        let kept = resumptions.reduce(0) { $0 + 16 * ($1?.configurations.count ?? 0) }
        let keys = states.reduce(0) { $0 + 96 + 32 * $1.configurations.count }
        return arena + conts + kept + keys + fragments.byteCount + leaves.reduce(0) { $0 + $1.byteCount }
    }
}
