/// A list of texts, read byte by byte as the trie that it is: those that begin alike are neighbours in it.
struct TextList: Sendable {
    /// A node of the trie: the texts `low ..< high`, of which `depth` bytes were read.
    struct Place: Sendable {
        var low: Int32
        var high: Int32
        var depth: Int32
    }

    private let texts: [[UInt8]]
    /// Class 0: bytes of no text. All others have a class of their own.
    let byteClass: [UInt8]
    let classes: Int

    /// - Parameter texts: ascending and distinct.
    init(_ texts: [[UInt8]]) {
        self.texts = texts
        var byteClass = [UInt8](repeating: 0, count: 256)
        var count = 1
        for text in texts {
            for byte in text where byteClass[Int(byte)] == 0 {
                // UTF-8 has bytes that never occur, so that there are classes enough.
                byteClass[Int(byte)] = UInt8(truncatingIfNeeded: count)
                count += 1
            }
        }
        self.byteClass = byteClass
        classes = count
    }

    var start: Place { Place(low: 0, high: Int32(texts.count), depth: 0) }

    var byteCount: Int { texts.reduce(0) { $0 + 32 + $1.count } }

    /// Whether a text ends at `place`.
    func isEnd(_ place: Place) -> Bool { texts[Int(place.low)].count == Int(place.depth) }

    /// Groups of the bytes that come next.
    func groups(after place: Place) -> UInt64 {
        var groups: UInt64 = 0
        forEachByte(after: place) { byte, _, _ in groups |= ByteGroups.bit(byte) }
        return groups
    }

    /// The bytes that may come, and where each leads.
    func next(_ place: Place) -> [(byte: UInt8, place: Place)] {
        var result: [(byte: UInt8, place: Place)] = []
        forEachByte(after: place) { byte, low, high in
            result.append((byte, Place(low: Int32(low), high: Int32(high), depth: place.depth + 1)))
        }
        return result
    }

    private func forEachByte(after place: Place, _ body: (UInt8, Int, Int) -> Void) {
        let depth = Int(place.depth)
        let end = Int(place.high)
        // A text that ends here is the first of those that begin with it.
        var low = Int(place.low) + (isEnd(place) ? 1 : 0)
        while low < end {
            let byte = texts[low][depth]
            // Mostly few share it, and often all do.
            var high = texts[end - 1][depth] == byte ? end : low + 1
            while high < end, texts[high][depth] == byte { high += 1 }
            body(byte, low, high)
            low = high
        }
    }
}
