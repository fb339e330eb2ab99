/// Unigram (Kudo 2018, arXiv 1804.10959): of all ways to cut a text into tokens the one whose scores, logarithms of
/// probabilities, have the largest sum.
final class Unigram: TokenModel {
    let vocabulary: Vocabulary
    private let scores: [Double]
    private let trie: ByteTrie
    private let unknownID: Int32?
    /// Of a character without a token of its own: below that of all tokens.
    private let unknownScore: Double
    /// Ids of the tokens `<0x00>` … `<0xFF>`; empty: unknown text is unknown.
    private let byteTokens: [Int32]

    private static let unknownPenalty = 10.0

    /// The best way to some place of the text.
    struct Node {
        var score = 0.0
        /// Where its last token starts; −1: no way leads here.
        var start: Int32 = -1
        var id: Int32 = -1
    }

    init(vocabulary: Vocabulary, scores: [Double], unknownID: Int32?, byteTokens: [Int32]) {
        self.vocabulary = vocabulary
        self.scores = scores
        self.unknownID = unknownID
        self.byteTokens = byteTokens
        unknownScore = (scores.min() ?? 0) - Self.unknownPenalty
        trie = ByteTrie((0..<Int32(scores.count)).map { vocabulary.key(of: $0) })
    }

    /// - Complexity: O(n · longest token) in the bytes of the text.
    func encode(_ text: Span<UInt8>, _ range: Range<Int>, into ids: inout [Int32], scratch: inout BPEScratch) {
        let base = range.lowerBound
        let size = range.count
        scratch.lattice.removeAll(keepingCapacity: true)
        scratch.lattice.append(contentsOf: repeatElement(Node(), count: size + 1))
        var start = 0
        while start < size {
            let here = scratch.lattice[start].score
            let width = UTF8Text.length(lead: text[base + start])
            var knowsCharacter = false
            trie.forEachPrefix(of: text, from: base + start, to: range.upperBound) { id, length in
                Self.offer(here + scores[Int(id)], id, start, &scratch.lattice[start + length])
                if length == width { knowsCharacter = true }
            }
            if !knowsCharacter { Self.offer(here + unknownScore, -1, start, &scratch.lattice[start + width]) }
            start += width
        }
        collect(text, base, size, into: &ids, &scratch)
    }

    /// Of equal sums the way found first is kept.
    private static func offer(_ score: Double, _ id: Int32, _ start: Int, _ node: inout Node) {
        if node.start < 0 || score > node.score { node = Node(score: score, start: Int32(start), id: id) }
    }

    /// Walks back from the end. Unknown characters that touch each other are one token.
    private func collect(
        _ text: Span<UInt8>, _ base: Int, _ size: Int, into ids: inout [Int32], _ scratch: inout BPEScratch
    ) {
        let first = ids.count
        var end = size
        while end > 0 {
            let node = scratch.lattice[end]
            var start = Int(node.start)
            if node.id >= 0, node.id != unknownID {
                ids.append(node.id)
            } else {
                while start > 0, case let before = scratch.lattice[start], before.id < 0 || before.id == unknownID {
                    start = Int(before.start)
                }
                appendUnknown(text, base + start..<base + end, to: &ids, &scratch)
            }
            end = start
        }
        ids[first...].reverse()
    }

    /// In reverse, as the walk goes.
    private func appendUnknown(
        _ text: Span<UInt8>, _ range: Range<Int>, to ids: inout [Int32], _ scratch: inout BPEScratch
    ) {
        scratch.key.removeAll(keepingCapacity: true)
        for index in range { scratch.key.append(text[index]) }
        let whole = vocabulary.id(ofKey: scratch.key.span)
        if whole >= 0 {
            ids.append(whole)
        } else if !byteTokens.isEmpty {
            for byte in scratch.key.reversed() { ids.append(byteTokens[Int(byte)]) }
        } else if let unknownID {
            ids.append(unknownID)
        }
    }
}
