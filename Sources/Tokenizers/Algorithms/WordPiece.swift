/// WordPiece (Schuster and Nakajima, 2012; BERT): the longest token that starts the rest of the word, again and again.
final class WordPiece: TokenModel {
    let vocabulary: Vocabulary
    private let unknownID: Int32
    /// Written before each part but the first, `##` as a rule.
    private let continuingPrefix: [UInt8]
    /// Words with more characters are unknown.
    private let longestWord: Int

    init(vocabulary: Vocabulary, unknownID: Int32, continuingPrefix: [UInt8], longestWord: Int) {
        self.vocabulary = vocabulary
        self.unknownID = unknownID
        self.continuingPrefix = continuingPrefix
        self.longestWord = longestWord
    }

    /// - Complexity: O(n · longest token) in the bytes of the word; words above the limit cost O(limit).
    func encode(_ text: Span<UInt8>, _ range: Range<Int>, into ids: inout [Int32], scratch: inout BPEScratch) {
        let first = ids.count
        guard isShortEnough(text, range) else {
            ids.append(unknownID)
            return
        }
        var start = range.lowerBound
        while start < range.upperBound {
            let isContinuing = start > range.lowerBound
            let prefix = isContinuing ? continuingPrefix.count : 0
            var end = min(range.upperBound, start + max(0, vocabulary.longest - prefix))
            while end > start, end < range.upperBound, text[end] & 0xC0 == 0x80 { end -= 1 }
            scratch.key.removeAll(keepingCapacity: true)
            if isContinuing { scratch.key += continuingPrefix }
            for index in start..<end { scratch.key.append(text[index]) }
            var id: Int32 = -1
            while end > start {
                id = vocabulary.id(ofKey: scratch.key.span)
                if id >= 0 { break }
                let shorter = UTF8Text.start(before: end, in: text, lower: start)
                scratch.key.removeLast(end - shorter)
                end = shorter
            }
            guard id >= 0 else {
                ids.removeSubrange(first...)
                ids.append(unknownID)
                return
            }
            ids.append(id)
            start = end
        }
    }

    private func isShortEnough(_ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
        if range.count <= longestWord { return true }
        var characters = 0
        for index in range where text[index] & 0xC0 != 0x80 {
            characters += 1
            if characters > longestWord { return false }
        }
        return true
    }
}
