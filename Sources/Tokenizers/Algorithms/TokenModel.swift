/// The model section of `tokenizer.json`: turns one piece of text into ids.
protocol TokenModel: Sendable {
    var vocabulary: Vocabulary { get }
    /// Appends the ids of `text[range]`, which is not empty.
    func encode(_ text: Span<UInt8>, _ range: Range<Int>, into ids: inout [Int32], scratch: inout BPEScratch)
}

/// Working memory of one call of `encode`. Each call has its own, so that a model is shared without locks.
struct BPEScratch {
    struct Pair {
        var symbol: Int32
        /// Rank of the merge with the next symbol, `MergeTable.noRank` if there is none.
        var rank: UInt32
        /// What that merge makes.
        var merged: Int32
    }

    /// Id of each symbol; −1 once merged away.
    var symbols: [Int32] = []
    /// Bytes of text behind each symbol.
    var lengths: [Int32] = []
    /// A short run with the merge of each symbol and the next one.
    var pairs: [Pair] = []
    /// Neighbours in the linked list of a long word; −1 at the ends.
    var previous: [Int32] = []
    var next: [Int32] = []
    var queue = BPEMergeQueue()
    var key: [UInt8] = []
    /// Best ways to each byte of a piece (`Unigram`).
    var lattice: [Unigram.Node] = []
}
