/// What is being computed right now, and by whom: the tokens of the sequences that are still prefilling. A request
/// whose next tokens are among them waits until they are published instead of computing them a second time.
package struct InFlightChunks: Sendable {
    private struct Entry: Sendable {
        var sequence: Int
        var namespace: Namespace
        var tokens: [Int32]
    }
    private var entries: [Entry] = []

    package init() {}

    package mutating func removeAll() { entries.removeAll(keepingCapacity: true) }

    /// - Parameter tokens: all the sequence is going to feed.
    package mutating func add(sequence: Int, namespace: Namespace, tokens: [Int32]) {
        entries.append(Entry(sequence: sequence, namespace: namespace, tokens: tokens))
    }

    /// Somebody who computes at least `minimum` of the tokens from `start` on.
    ///
    /// - Parameters:
    ///   - start: tokens already cached.
    ///   - known: the answer of an earlier call for the same tokens; while it holds, nothing is compared again.
    /// - Complexity: O(1) if `known` holds, else O(entries + common tokens).
    package func computing(
        _ tokens: [Int32], from start: Int, namespace: Namespace, minimum: Int, known: SharedWork?
    ) -> SharedWork? {
        if let known, known.commonTokens - start >= minimum,
            entries.contains(where: { $0.sequence == known.sequence })
        {
            return known
        }
        for entry in entries where entry.namespace == namespace && start + minimum <= entry.tokens.count {
            // The next token decides nearly always, so look at it before comparing the prefix.
            let ahead = commonPrefixLength(entry.tokens, from: start, tokens, from: start, limit: .max)
            guard ahead >= minimum else { continue }
            if commonPrefixLength(entry.tokens, from: 0, tokens, from: 0, limit: start) == start {
                return SharedWork(sequence: entry.sequence, commonTokens: start + ahead)
            }
        }
        return nil
    }
}

/// A sequence that computes tokens another one needs.
package struct SharedWork: Sendable, Equatable {
    package let sequence: Int
    /// Length of the common prefix of both.
    package let commonTokens: Int
}
