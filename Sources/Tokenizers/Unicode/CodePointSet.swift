/// A set of code points as sorted, disjoint, non-adjacent runs; the form in which sets are built.
struct CodePointSet: Equatable, Sendable {
    /// Inclusive at both ends.
    struct Run: Equatable, Sendable {
        var first: UInt32
        var last: UInt32
    }

    private(set) var runs: [Run]

    static let lastCodePoint: UInt32 = 0x10FFFF
    static let empty = CodePointSet([])
    static let all = CodePointSet([Run(first: 0, last: lastCodePoint)])

    /// Sorts and joins the runs; they may overlap.
    init(_ unordered: [Run]) {
        runs = []
        for run in unordered.sorted(by: { $0.first < $1.first }) {
            if let previous = runs.last, run.first <= previous.last &+ 1 {
                runs[runs.count - 1].last = max(previous.last, run.last)
            } else {
                runs.append(run)
            }
        }
    }

    init(_ codePoint: UInt32) {
        runs = [Run(first: codePoint, last: codePoint)]
    }

    var isEmpty: Bool { runs.isEmpty }

    /// - Complexity: O(log runs).
    func contains(_ codePoint: UInt32) -> Bool {
        var low = 0
        var high = runs.count
        while low < high {
            let middle = (low + high) / 2
            if runs[middle].last < codePoint { low = middle + 1 } else { high = middle }
        }
        return low < runs.count && runs[low].first <= codePoint
    }

    func union(_ other: CodePointSet) -> CodePointSet {
        CodePointSet(runs + other.runs)
    }

    func inverted() -> CodePointSet {
        var result: [Run] = []
        var next: UInt32 = 0
        for run in runs {
            if run.first > next { result.append(Run(first: next, last: run.first - 1)) }
            next = run.last + 1
        }
        if next <= Self.lastCodePoint { result.append(Run(first: next, last: Self.lastCodePoint)) }
        return CodePointSet(result)
    }

    func intersection(_ other: CodePointSet) -> CodePointSet {
        inverted().union(other.inverted()).inverted()
    }

    func isDisjoint(from other: CodePointSet) -> Bool {
        intersection(other).isEmpty
    }

    /// First bytes of the UTF-8 of the members, as 256 flags.
    func leadBytes() -> [Bool] {
        var flags = [Bool](repeating: false, count: 256)
        var text: [UInt8] = []
        for run in runs {
            text.removeAll(keepingCapacity: true)
            UTF8Text.append(run.first, to: &text)
            let first = Int(text[0])
            text.removeAll(keepingCapacity: true)
            UTF8Text.append(run.last, to: &text)
            for byte in first...Int(text[0]) { flags[byte] = true }
        }
        return flags
    }
}

/// The same set for fast questions: a bitmap in blocks of 256 code points, equal blocks stored once.
struct CodePointTable: Sendable {
    /// Block of each 256 code points.
    private let blocks: [UInt16]
    /// Four words of 64 bits a block.
    private let words: [UInt64]

    static let blockCount = 0x110000 / 256

    init(_ set: CodePointSet) {
        var words: [UInt64] = []
        var known: [[UInt64]: UInt16] = [:]
        blocks = Self.index(set, words: &words, known: &known)
        self.words = words
    }

    /// Adds the blocks of `set` to `words` and returns the block numbers; `known` finds equal blocks.
    static func index(
        _ set: CodePointSet, words: inout [UInt64], known: inout [[UInt64]: UInt16]
    ) -> [UInt16] {
        var bits = [UInt64](repeating: 0, count: blockCount * 4)
        for run in set.runs {
            var codePoint = run.first
            while codePoint <= run.last {
                if codePoint & 63 == 0, run.last - codePoint >= 63 {
                    bits[Int(codePoint >> 6)] = .max
                    codePoint += 64
                } else {
                    bits[Int(codePoint >> 6)] |= 1 << UInt64(codePoint & 63)
                    codePoint += 1
                }
            }
        }
        return (0..<blockCount).map { block in
            let content = Array(bits[block * 4..<block * 4 + 4])
            if let number = known[content] { return number }
            let number = UInt16(words.count / 4)
            known[content] = number
            words += content
            return number
        }
    }

    /// - Complexity: O(1).
    @inline(__always)
    func contains(_ codePoint: UInt32) -> Bool {
        let block = Int(blocks[Int(codePoint &>> 8)])
        return words[block &* 4 &+ Int(codePoint &>> 6 & 3)] &>> UInt64(codePoint & 63) & 1 != 0
    }
}
