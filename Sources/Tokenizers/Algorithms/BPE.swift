/// Byte-pair encoding (Sennrich et al., 2016): byte-level, or over characters with byte fallback as SentencePiece does.
///
/// A word is cut into symbols, then the pair of neighbours with the lowest rank is merged until no pair is left. Three
/// things make that fast without any shared state:
///
/// * A word that is a token, and that the merges are known to turn into that very token, is one table lookup. Which
///   tokens these are is found out once, when the model is loaded.
/// * A long word is cut where no merge can reach across: between two bytes that no merge ever joins.
/// * A short run scans for the lowest rank; a long one keeps its candidates in a heap, which makes it O(n log n).
final class BPE: TokenModel {
    struct Options: Sendable {
        /// For symbols outside the vocabulary; −1: they are dropped.
        var unknownID: Int32 = -1
        /// Neighbouring unknown symbols become one.
        var fusesUnknown = false
        /// Symbols outside the vocabulary become the tokens `<0x00>`…`<0xFF>` of their bytes.
        var usesByteFallback = false
        /// A word that is a token is that token, whatever the merges say.
        var ignoresMerges = false
        /// Written before each symbol but the first of a word.
        var continuingPrefix: [UInt8] = []
        /// Written behind the last symbol of a word.
        var wordSuffix: [UInt8] = []
    }

    let vocabulary: Vocabulary
    private let merges: MergeTable
    private let options: Options
    /// Byte-level: symbol of each byte. Otherwise: symbol of each ASCII character. −1 where there is none.
    private let directSymbols: [Int32]
    /// Ids of `<0x00>`…`<0xFF>`, −1 where there is none; empty without byte fallback.
    private let byteTokens: [Int32]
    /// Bit per id: the merges turn the text of the token into the token.
    private let wholeWords: [UInt64]
    /// Bit per pair of edge classes (last of the left symbol × first of the right one): some merge joins them.
    private let joins: [UInt64]
    /// Edge classes of each id: see `edges(of:)`.
    private let edges: [UInt16]

    /// Whether the lengths of the symbols are places in the text: no symbol is ever dropped or spelt in other bytes.
    private let lengthsAddUp: Bool

    /// Runs of at most this many symbols are merged by scanning.
    private static let shortRun = 40

    /// What the model is made of, apart from `wholeWords`, which is found by running the model.
    private struct Parts {
        var vocabulary: Vocabulary
        var merges: MergeTable
        var options: Options
        var directSymbols: [Int32]
        var byteTokens: [Int32]
        var joins: [UInt64]
        var edges: [UInt16]
    }

    /// - Parameter pairs: the ids of each merge, which `merges` holds too.
    convenience init(
        vocabulary: Vocabulary, merges: MergeTable, pairs: [(left: Int32, right: Int32)], options: Options
    ) {
        var direct = [Int32](repeating: -1, count: 256)
        for byte in 0..<(vocabulary.isByteLevel ? 256 : 128) {
            direct[byte] = vocabulary.id(ofKey: [UInt8(byte)].span)
        }
        let edges = (0..<Int32(vocabulary.size)).map { Self.edges(of: vocabulary.key(of: $0)) }
        var joins = [UInt64](repeating: 0, count: 65536 / 64)
        for pair in pairs {
            let bit = Int(edges[Int(pair.left)] & 0xFF) << 8 | Int(edges[Int(pair.right)] >> 8)
            joins[bit >> 6] |= 1 << UInt64(bit & 63)
        }
        let parts = Parts(
            vocabulary: vocabulary, merges: merges, options: options, directSymbols: direct,
            byteTokens: options.usesByteFallback ? Self.byteTokens(of: vocabulary) : [], joins: joins, edges: edges)
        let words = [UInt64](repeating: options.ignoresMerges ? .max : 0, count: (vocabulary.size + 63) / 64)
        if options.ignoresMerges || !options.continuingPrefix.isEmpty || !options.wordSuffix.isEmpty {
            self.init(parts, wholeWords: words)
        } else {
            self.init(parts, wholeWords: BPE(parts, wholeWords: words).findWholeWords())
        }
    }

    private init(_ parts: Parts, wholeWords: [UInt64]) {
        vocabulary = parts.vocabulary
        merges = parts.merges
        options = parts.options
        directSymbols = parts.directSymbols
        byteTokens = parts.byteTokens
        joins = parts.joins
        edges = parts.edges
        lengthsAddUp = vocabulary.isByteLevel ? directSymbols.allSatisfy { $0 >= 0 } : options.unknownID >= 0
        self.wholeWords = wholeWords
    }

    // MARK: Encoding

    func encode(_ text: Span<UInt8>, _ range: Range<Int>, into ids: inout [Int32], scratch: inout BPEScratch) {
        if wholeWord(text, range, into: &ids) { return }
        makeSymbols(text, range, &scratch)
        mergeSymbols(text, range, into: &ids, &scratch)
    }

    /// Appends the one id of `text[range]`, if it is a token that the merges lead to.
    @inline(__always)
    private func wholeWord(_ text: Span<UInt8>, _ range: Range<Int>, into ids: inout [Int32]) -> Bool {
        let id = vocabulary.id(ofKey: text.extracting(range))
        guard id >= 0, wholeWords[Int(id) &>> 6] &>> UInt64(id & 63) & 1 != 0 else { return false }
        ids.append(id)
        return true
    }

    /// Fills `scratch.symbols` and `scratch.lengths`.
    private func makeSymbols(_ text: Span<UInt8>, _ range: Range<Int>, _ scratch: inout BPEScratch) {
        scratch.symbols.removeAll(keepingCapacity: true)
        scratch.lengths.removeAll(keepingCapacity: true)
        let hasAffixes = !options.continuingPrefix.isEmpty || !options.wordSuffix.isEmpty
        var position = range.lowerBound
        // Bytes of the unknown symbol that has not been written yet.
        var unknownLength: Int32 = 0
        while position < range.upperBound {
            let lead = text[position]
            let length = vocabulary.isByteLevel ? 1 : UTF8Text.length(lead: lead)
            var id: Int32
            if hasAffixes {
                id = symbolWithAffixes(text, range, position, length, &scratch.key)
            } else if length == 1 {
                id = directSymbols[Int(lead)]
            } else {
                id = vocabulary.id(ofKey: text.extracting(position..<position &+ length))
            }
            if id >= 0 {
                if unknownLength > 0 {
                    scratch.symbols.append(options.unknownID)
                    scratch.lengths.append(unknownLength)
                    unknownLength = 0
                }
                scratch.symbols.append(id)
                scratch.lengths.append(Int32(truncatingIfNeeded: length))
            } else if !appendFallback(text, range, position, length, hasAffixes, &scratch), options.unknownID >= 0 {
                if unknownLength > 0, !options.fusesUnknown {
                    scratch.symbols.append(options.unknownID)
                    scratch.lengths.append(unknownLength)
                    unknownLength = 0
                }
                unknownLength &+= Int32(truncatingIfNeeded: length)
            }
            position &+= length
        }
        if unknownLength > 0 {
            scratch.symbols.append(options.unknownID)
            scratch.lengths.append(unknownLength)
        }
    }

    private func symbolWithAffixes(
        _ text: Span<UInt8>, _ range: Range<Int>, _ position: Int, _ length: Int, _ key: inout [UInt8]
    ) -> Int32 {
        spellSymbol(text, range, position, length, &key)
        return vocabulary.id(ofKey: key.span)
    }

    private func spellSymbol(
        _ text: Span<UInt8>, _ range: Range<Int>, _ position: Int, _ length: Int, _ key: inout [UInt8]
    ) {
        key.removeAll(keepingCapacity: true)
        if position > range.lowerBound { key += options.continuingPrefix }
        for index in position..<position + length { key.append(text[index]) }
        if position + length == range.upperBound { key += options.wordSuffix }
    }

    /// Appends the byte tokens of a symbol that is not in the vocabulary; false, if one of them is missing.
    private func appendFallback(
        _ text: Span<UInt8>, _ range: Range<Int>, _ position: Int, _ length: Int, _ hasAffixes: Bool,
        _ scratch: inout BPEScratch
    ) -> Bool {
        guard !byteTokens.isEmpty else { return false }
        scratch.key.removeAll(keepingCapacity: true)
        if vocabulary.isByteLevel {
            // The format sees the character of the alphabet here, not the byte.
            ByteLevelAlphabet.encode(text.extracting(position..<position + length), into: &scratch.key)
        } else {
            spellSymbol(text, range, position, length, &scratch.key)
        }
        guard scratch.key.allSatisfy({ byteTokens[Int($0)] >= 0 }) else { return false }
        for byte in scratch.key {
            scratch.symbols.append(byteTokens[Int(byte)])
            scratch.lengths.append(1)
        }
        return true
    }

    /// Merges `scratch.symbols` and appends the result to `ids`.
    private func mergeSymbols(
        _ text: Span<UInt8>, _ range: Range<Int>, into ids: inout [Int32], _ scratch: inout BPEScratch
    ) {
        let count = scratch.symbols.count
        if count <= Self.shortRun, vocabulary.isByteLevel {
            return mergeShort(0..<count, into: &ids, &scratch)
        }
        var start = 0
        var textStart = range.lowerBound
        var textEnd = textStart
        for index in 0..<count {
            textEnd &+= Int(scratch.lengths[index])
            guard index &+ 1 == count || !canJoin(scratch.symbols[index], scratch.symbols[index &+ 1]) else { continue }
            let run = start..<index &+ 1
            let isWhole =
                run.count > 1 && lengthsAddUp && !options.ignoresMerges
                && wholeWord(text, textStart..<textEnd, into: &ids)
            if !isWhole {
                if run.count <= Self.shortRun {
                    mergeShort(run, into: &ids, &scratch)
                } else {
                    mergeLong(run, into: &ids, &scratch)
                }
            }
            start = index &+ 1
            textStart = textEnd
        }
    }

    @inline(__always)
    private func canJoin(_ left: Int32, _ right: Int32) -> Bool {
        let bit = Int(edges[Int(left)] & 0xFF) &<< 8 | Int(edges[Int(right)] &>> 8)
        return joins[bit &>> 6] &>> UInt64(bit & 63) & 1 != 0
    }

    /// - Complexity: O(n²) in the symbols of the run, which is at most `shortRun`.
    private func mergeShort(_ run: Range<Int>, into ids: inout [Int32], _ scratch: inout BPEScratch) {
        var count = run.count
        guard count > 1 else {
            if count == 1 { ids.append(scratch.symbols[run.lowerBound]) }
            return
        }
        if scratch.pairs.isEmpty {
            scratch.pairs = Array(repeating: .init(symbol: -1, rank: 0, merged: -1), count: Self.shortRun)
        }
        let base = run.lowerBound
        for index in 0..<count { scratch.pairs[index].symbol = scratch.symbols[base &+ index] }
        var pairs = scratch.pairs.mutableSpan
        for index in 0..<count &- 1 {
            (pairs[index].rank, pairs[index].merged) = merges.merge(pairs[index].symbol, pairs[index &+ 1].symbol)
        }
        pairs[count &- 1].rank = MergeTable.noRank
        while count > 1 {
            var best = 0
            var lowest = pairs[0].rank
            var index = 1
            while index < count &- 1 {
                if pairs[index].rank < lowest {
                    lowest = pairs[index].rank
                    best = index
                }
                index &+= 1
            }
            if lowest == MergeTable.noRank { break }
            pairs[best].symbol = pairs[best].merged
            count &-= 1
            index = best &+ 1
            while index < count {
                pairs[index] = pairs[index &+ 1]
                index &+= 1
            }
            if best > 0 {
                (pairs[best &- 1].rank, pairs[best &- 1].merged) = merges.merge(
                    pairs[best &- 1].symbol, pairs[best].symbol)
            }
            if best < count &- 1 {
                (pairs[best].rank, pairs[best].merged) = merges.merge(pairs[best].symbol, pairs[best &+ 1].symbol)
            }
        }
        for index in 0..<count { ids.append(pairs[index].symbol) }
    }

    /// - Complexity: O(n log n) in the symbols of the run.
    private func mergeLong(_ run: Range<Int>, into ids: inout [Int32], _ scratch: inout BPEScratch) {
        let base = run.lowerBound
        let count = run.count
        scratch.queue.removeAll()
        scratch.previous.removeAll(keepingCapacity: true)
        scratch.next.removeAll(keepingCapacity: true)
        for index in 0..<Int32(count) {
            scratch.previous.append(index &- 1)
            scratch.next.append(Int(index) &+ 1 < count ? index &+ 1 : -1)
        }
        for index in 0..<count &- 1 {
            let rank = merges.merge(scratch.symbols[base &+ index], scratch.symbols[base &+ index &+ 1]).rank
            if rank != MergeTable.noRank { scratch.queue.insert(rank: rank, position: Int32(index)) }
        }
        while let (rank, position) = scratch.queue.popFirst() {
            let left = Int(position)
            let right = Int(scratch.next[left])
            guard scratch.symbols[base &+ left] >= 0, right >= 0 else { continue }
            let merge = merges.merge(scratch.symbols[base &+ left], scratch.symbols[base &+ right])
            guard merge.rank == rank else { continue }
            scratch.symbols[base &+ left] = merge.merged
            scratch.symbols[base &+ right] = -1
            let after = Int(scratch.next[right])
            scratch.next[left] = Int32(after)
            if after >= 0 {
                scratch.previous[after] = position
                let rank = merges.merge(merge.merged, scratch.symbols[base &+ after]).rank
                if rank != MergeTable.noRank { scratch.queue.insert(rank: rank, position: position) }
            }
            let before = Int(scratch.previous[left])
            if before >= 0 {
                let rank = merges.merge(scratch.symbols[base &+ before], merge.merged).rank
                if rank != MergeTable.noRank { scratch.queue.insert(rank: rank, position: Int32(before)) }
            }
        }
        for index in run where scratch.symbols[index] >= 0 { ids.append(scratch.symbols[index]) }
    }

    // MARK: Preparation

    private static func byteTokens(of vocabulary: Vocabulary) -> [Int32] {
        (0..<256).map { byte in
            let digits = Array("0123456789ABCDEF".utf8)
            let text = Array("<0x".utf8) + [digits[byte >> 4], digits[byte & 15], UInt8(ascii: ">")]
            return vocabulary.id(ofText: text) ?? -1
        }
    }

    /// First byte (high half) and last byte of a token. The SentencePiece space `▁` gets classes of its own, 0xFE and
    /// 0xFF, which UTF-8 never uses, because it is the one place where words can be cut apart reliably.
    private static func edges(of key: ArraySlice<UInt8>) -> UInt16 {
        guard let first = key.first, let last = key.last else { return 0 }
        let space: [UInt8] = [0xE2, 0x96, 0x81]
        let head = key.starts(with: space) ? 0xFF : UInt16(first)
        let tail = key.suffix(3).elementsEqual(space) ? 0xFE : UInt16(last)
        return head << 8 | tail
    }

    /// Runs the merges over the text of each token.
    private func findWholeWords() -> [UInt64] {
        var found = [UInt64](repeating: 0, count: wholeWords.count)
        var scratch = BPEScratch()
        var ids: [Int32] = []
        for id in 0..<Int32(vocabulary.size) where vocabulary.contains(id) {
            let key = Array(vocabulary.key(of: id))
            // The entry may be shadowed by another id with the same text.
            guard !key.isEmpty, vocabulary.id(ofKey: key.span) == id else { continue }
            ids.removeAll(keepingCapacity: true)
            makeSymbols(key.span, 0..<key.count, &scratch)
            if scratch.symbols.count <= Self.shortRun {
                mergeShort(0..<scratch.symbols.count, into: &ids, &scratch)
            } else {
                mergeLong(0..<scratch.symbols.count, into: &ids, &scratch)
            }
            if ids.count == 1, ids[0] == id { found[Int(id) >> 6] |= 1 << UInt64(id & 63) }
        }
        return found
    }
}
