/// What is being computed right now, and by whom: the tokens of the sequences that are still prefilling. A request
/// whose next tokens are among them waits until they are published instead of computing them a second time.
package struct InFlightChunks: Sendable {
    private struct Entry: Sendable {
        var sequence: Int
        var namespace: Namespace
        var tokens: [Int32]
        var computedFrom: Int
    }
    private var entries: [Entry] = []

    package init() {}

    package mutating func removeAll() { entries.removeAll(keepingCapacity: true) }

    /// - Parameters:
    ///   - tokens: all the sequence is going to feed.
    ///   - computedFrom: how many of them were cached when it began.
    package mutating func add(sequence: Int, namespace: Namespace, tokens: [Int32], computedFrom: Int) {
        entries.append(
            Entry(sequence: sequence, namespace: namespace, tokens: tokens, computedFrom: computedFrom))
    }

    /// Somebody who computes `tokens[start]`, as part of a run of at least `minimum` common tokens.
    ///
    /// The run counts from where the other began, not from `start`: the last bit of a shared document is not computed
    /// twice either, however short it is, while a few tokens that two prompts happen to have in common are.
    /// - Parameters:
    ///   - start: tokens already cached.
    ///   - known: the answer of an earlier call for the same tokens; while it holds, nothing is compared again.
    /// - Complexity: O(entries) if `known` holds, else O(entries + common tokens).
    package func computing(
        _ tokens: [Int32], from start: Int, namespace: Namespace, minimum: Int, known: SharedWork?
    ) -> SharedWork? {
        if let known, known.commonTokens > start, let entry = entries.first(where: { $0.sequence == known.sequence }),
            known.commonTokens - min(start, entry.computedFrom) >= minimum
        {
            return known
        }
        for entry in entries where entry.namespace == namespace {
            // The next token decides nearly always, so look there before comparing the prefix.
            let ahead = commonPrefixLength(entry.tokens, from: start, tokens, from: start, limit: .max)
            guard ahead > 0, start + ahead - min(start, entry.computedFrom) >= minimum else { continue }
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
