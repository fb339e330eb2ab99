import EngineInterface
import Grammar
import Scheduling

/// Follows the texts of constrained sequences: which tokens may come, and which must.
///
/// A sequence that is retracted keeps what it has generated, so its matcher stays where it is; nothing is ever followed
/// twice.
struct Constraints {
    private struct Live {
        var matcher: GrammarMatcher
        /// The mask of the next token; filled anew for each, never reallocated.
        var mask: [UInt64]
    }

    /// What must follow a token.
    struct Outcome {
        /// In place of the sampled token, which would have left no way to end in time.
        var replacement: Int32?
        var forced: [Int32] = []
        var isComplete = false
    }

    private var live: [Int: Live] = [:]

    /// Longest run of text that is fed at once.
    private static let longestRun = 256

    /// One bit for each token that may come next; end tokens exactly where the text may end.
    mutating func mask(_ sequence: Int, _ constraint: OutputConstraint, _ state: SamplingState) -> [UInt64] {
        let vocabulary = constraint.grammar.vocabulary
        // Taken out, so that filling it copies nothing.
        var one =
            live.removeValue(forKey: sequence)
            ?? Live(
                matcher: constraint.grammar.makeMatcher(),
                mask: [UInt64](repeating: 0, count: (vocabulary.size + 63) / 64))
        defer { live[sequence] = one }
        one.matcher.fill(&one.mask)
        let mayEnd = one.matcher.canEnd
        for id in vocabulary.endTokens where !state.endIDs.contains(id) { one.mask.remove(id) }
        if mayEnd {
            // Stop ids of the request that stand for no text end it too.
            for id in state.endIDs where vocabulary.specialTokens.contains(id) {
                one.mask.insert(id, below: vocabulary.size)
            }
        }
        for id in state.forbiddenTokenIDs { one.mask.remove(id) }
        // The text must end, but the request wants it to go on: the constraint wins.
        if one.mask.allSatisfy({ $0 == 0 }) {
            for id in vocabulary.endTokens { one.mask.insert(id, below: vocabulary.size) }
        }
        return one.mask
    }

    /// Follows a sampled token and looks how the text must go on.
    mutating func advance(
        _ sequence: Int, token: Int32, _ constraint: OutputConstraint, _ state: SamplingState
    ) -> Outcome {
        guard var one = live.removeValue(forKey: sequence) else { return Outcome() }
        defer { live[sequence] = one }
        // A copy costs as much as the text so far is long.
        let before = constraint.closesInTime ? one.matcher : nil
        // An end token of the request that is none of the vocabulary's ends the text without being part of it.
        guard one.matcher.accept(token) else { return Outcome(isComplete: true) }
        if one.matcher.mustEnd { return Outcome(isComplete: true) }
        var outcome = Outcome()
        // The log-probability of each token is wanted, and takes the logits before it.
        var bytesLeft = constraint.jumpsForward && state.sampling.topLogprobs == nil ? Self.longestRun : 0
        while bytesLeft > 0 {
            if let special = one.matcher.forcedToken, one.matcher.accept(special) {
                outcome.forced.append(special)
                bytesLeft -= 8
                continue
            }
            let run = one.matcher.forcedText(limit: bytesLeft)
            guard !run.isEmpty, let ids = constraint.tokenize(run), !ids.isEmpty else { break }
            bytesLeft -= run.count
            if !append(ids, to: &outcome.forced, &one) { break }
        }
        outcome.isComplete = one.matcher.mustEnd
        // Behind the forced text, which may be more tokens here than as part of a longer one.
        let room = state.remainingTokens - outcome.forced.count
        if let before, let ending = Self.ending(before, one.matcher, room: room, constraint, state) { return ending }
        return outcome
    }

    /// Appends the ids of a run of text.
    ///
    /// The last id is left to the model if it could as well choose a longer token that begins with the same text: that
    /// may be how it would have written the whole.
    /// - Returns: whether the whole run was taken.
    private func append(_ ids: [Int32], to forced: inout [Int32], _ one: inout Live) -> Bool {
        for (place, id) in ids.enumerated() {
            if place == ids.count - 1, Self.mayGrow(id, &one) { return false }
            guard one.matcher.accept(id) else { return false }
            forced.append(id)
        }
        return true
    }

    private static func mayGrow(_ id: Int32, _ one: inout Live) -> Bool {
        let vocabulary = one.matcher.grammar.vocabulary
        let length = vocabulary.bytes(of: id).count
        one.matcher.fill(&one.mask)
        for (index, word) in one.mask.enumerated() where word != 0 {
            var rest = word
            while rest != 0 {
                let other = Int32(truncatingIfNeeded: index * 64 + rest.trailingZeroBitCount)
                // The text is forced up to here, so whatever is longer begins with it.
                if vocabulary.bytes(of: other).count > length { return true }
                rest &= rest - 1
            }
        }
        return false
    }

    /// Tokens for which the way to the end is looked up; earlier, there is time enough.
    private static let endingHorizon = 512
    /// Longest way to the end that is looked up, in bytes.
    private static let longestEnding = 4_096

    /// If the text could no longer end in time after a token and what it forced: the shortest way to end it from before
    /// the token instead.
    /// - Parameter room: tokens left from the token on, without those that are forced.
    private static func ending(
        _ before: GrammarMatcher, _ after: GrammarMatcher, room: Int, _ constraint: OutputConstraint,
        _ state: SamplingState
    ) -> Outcome? {
        guard room <= endingHorizon else { return nil }
        if after.mustEnd, room > 0 { return nil }
        // Two to spare: text that is fed in two runs may be more tokens than in one.
        if let rest = after.shortestEnding(limit: longestEnding), count(rest, constraint) + 2 < room { return nil }
        guard let way = before.shortestEnding(limit: longestEnding) else { return nil }
        if way.isEmpty {
            // It may end right here: what the token would have begun is left out.
            return constraint.grammar.vocabulary.endTokens.first(where: state.endIDs.contains).map {
                Outcome(replacement: $0, isComplete: true)
            }
        }
        guard let ids = ids(way, constraint), let first = ids.first, ids.count <= state.remainingTokens else {
            return nil
        }
        return Outcome(replacement: first, forced: Array(ids.dropFirst()), isComplete: true)
    }

    private static func count(_ text: [UInt8], _ constraint: OutputConstraint) -> Int {
        text.isEmpty ? 0 : ids(text, constraint)?.count ?? endingHorizon
    }

    private static func ids(_ bytes: [UInt8], _ constraint: OutputConstraint) -> [Int32]? {
        var ids: [Int32] = []
        for part in TokenVocabulary.parts(of: bytes) {
            switch part {
            case .special(let id): ids.append(id)
            case .text(let text):
                guard let more = constraint.tokenize(text) else { return nil }
                ids += more
            }
        }
        return ids
    }

    mutating func forget(_ sequence: Int) { live[sequence] = nil }
}

extension GrammarMatcher {
    /// The forced bytes up to the end of a character.
    fileprivate func forcedText(limit: Int) -> [UInt8] {
        var run = forcedBytes(limit: limit)
        // A character that is not complete: what follows its first byte is still open.
        var tail = 0
        while tail < run.count, tail < 4, run[run.count - 1 - tail] & 0xC0 == 0x80 { tail += 1 }
        if tail < run.count {
            let lead = run[run.count - 1 - tail]
            let length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
            if length > tail + 1 { run.removeLast(tail + 1) }
        }
        return run
    }
}

extension [UInt64] {
    fileprivate mutating func insert(_ id: Int32, below size: Int) {
        if id >= 0, Int(id) < size { self[Int(id) >> 6] |= 1 << UInt64(id & 63) }
    }

    fileprivate mutating func remove(_ id: Int32) {
        if id >= 0, Int(id) >> 6 < count { self[Int(id) >> 6] &= ~(1 << UInt64(id & 63)) }
    }
}
