/// All tokens of a vocabulary as a trie of bytes in preorder, so that a walk is a scan and a subtree is a range. Tokens
/// are numbered by `rank` in the same order: the tokens of a subtree have consecutive ranks.
struct VocabularyTrie: Sendable {
    struct Node: Sendable {
        /// Groups of the bytes strictly below.
        var groups: UInt64
        /// The node after the last of this subtree.
        var end: Int32
        /// Rank of the first token of this subtree. Tokens that end at the node are `rank ..< nodes[i + 1].rank`.
        var rank: Int32
        var depth: UInt16
        var byte: UInt8
        /// Most scalars that start below, 255 for more.
        var scalars: UInt8
        /// Whether everything below is a beginning of UTF-8 text if the node is at the end of a scalar.
        var isClean: Bool
        /// Number of the node's table in `childTables` counted from 1, 0 for none.
        var table: UInt16 = 0
    }

    /// Preorder; node 0 is the root (the empty text); one sentinel at the end.
    private(set) var nodes: [Node] = []
    /// Groups of the bytes of the direct children.
    private(set) var childGroups: [UInt64] = []
    /// Token ids by rank.
    private(set) var tokens: [Int32] = []
    /// The root's child for each byte, 0 where there is none.
    private(set) var rootChildren = [Int32](repeating: 0, count: 256)
    /// For nodes with many children, the child for each byte, 256 entries a table.
    private var childTables: [Int32] = []
    private(set) var maximumDepth = 0
    /// Ranks by falling number of scalars.
    private(set) var longestFirst: [Int32] = []
    /// How many tokens have more than so many scalars; 0 for numbers beyond the last.
    private(set) var longerCount: [Int32] = []
    /// Groups of each token's bytes, by rank.
    private(set) var tokenGroups: [UInt64] = []

    /// - Parameters:
    ///   - bytes: all spellings, one after the other.
    ///   - entries: token id and its range in `bytes`, none of them empty.
    init(bytes: [UInt8], entries: [(id: Int32, start: Int32, end: Int32)]) {
        struct Key {
            var prefix: UInt64
            var entry: Int32
        }
        var keys: [Key] = []
        keys.reserveCapacity(entries.count)
        for (index, entry) in entries.enumerated() {
            var prefix: UInt64 = 0
            for offset in 0..<8 {
                let position = Int(entry.start) + offset
                prefix = prefix << 8 | (position < Int(entry.end) ? UInt64(bytes[position]) : 0)
            }
            keys.append(Key(prefix: prefix, entry: Int32(index)))
        }
        keys.sort { left, right in
            if left.prefix != right.prefix { return left.prefix < right.prefix }
            let first = entries[Int(left.entry)]
            let second = entries[Int(right.entry)]
            let firstCount = first.end - first.start
            let secondCount = second.end - second.start
            var offset: Int32 = min(8, min(firstCount, secondCount))
            while offset < firstCount, offset < secondCount {
                let a = bytes[Int(first.start + offset)]
                let b = bytes[Int(second.start + offset)]
                if a != b { return a < b }
                offset += 1
            }
            return firstCount != secondCount ? firstCount < secondCount : first.id < second.id
        }
        var parents: [Int32] = [-1]
        var path: [Int32] = [0]
        nodes = [Node(groups: 0, end: 0, rank: 0, depth: 0, byte: 0, scalars: 0, isClean: false)]
        tokens.reserveCapacity(entries.count)
        var previous: (start: Int, count: Int) = (0, 0)
        for key in keys {
            let entry = entries[Int(key.entry)]
            let start = Int(entry.start)
            let count = Int(entry.end) - start
            var common = 0
            while common < count, common < previous.count, bytes[start + common] == bytes[previous.start + common] {
                common += 1
            }
            while path.count > common + 1 { nodes[Int(path.removeLast())].end = Int32(nodes.count) }
            for offset in common..<max(common, count) {
                let index = Int32(nodes.count)
                parents.append(path[path.count - 1])
                nodes.append(
                    Node(
                        groups: 0, end: 0, rank: Int32(tokens.count), depth: UInt16(min(offset + 1, 65_535)),
                        byte: bytes[start + offset], scalars: 0, isClean: false))
                path.append(index)
            }
            tokens.append(entry.id)
            maximumDepth = max(maximumDepth, count)
            previous = (start, count)
        }
        while let index = path.popLast() { nodes[Int(index)].end = Int32(nodes.count) }
        nodes.append(
            Node(
                groups: 0, end: Int32(nodes.count), rank: Int32(tokens.count), depth: 0, byte: 0, scalars: 0,
                isClean: false))
        summarize(parents)
        sortByLength(parents)
        makeTables(parents)
    }

    private static let childrenOfATable: UInt8 = 12

    private mutating func makeTables(_ parents: [Int32]) {
        var counts = [UInt8](repeating: 0, count: parents.count)
        for index in 1..<max(1, parents.count) {
            let parent = Int(parents[index])
            if counts[parent] < Self.childrenOfATable { counts[parent] += 1 }
            if counts[parent] == Self.childrenOfATable, nodes[parent].table == 0,
                childTables.count < Int(UInt16.max) * 256
            {
                childTables += repeatElement(0, count: 256)
                nodes[parent].table = UInt16(childTables.count / 256)
            }
        }
        for index in 1..<max(1, parents.count) {
            let table = Int(nodes[Int(parents[index])].table)
            if table > 0 { childTables[(table - 1) * 256 + Int(nodes[index].byte)] = Int32(index) }
        }
    }

    private mutating func sortByLength(_ parents: [Int32]) {
        var lengths = [Int32](repeating: 0, count: parents.count)
        var groups = [UInt64](repeating: 0, count: parents.count)
        var tokenLengths = [Int32](repeating: 0, count: tokens.count)
        tokenGroups = [UInt64](repeating: 0, count: tokens.count)
        for index in 1..<max(1, parents.count) {
            let parent = Int(parents[index])
            lengths[index] = lengths[parent] + (nodes[index].byte & 0xC0 == 0x80 ? 0 : 1)
            groups[index] = groups[parent] | ByteGroups.bit(nodes[index].byte)
            for rank in Int(nodes[index].rank)..<Int(nodes[index + 1].rank) {
                tokenLengths[rank] = lengths[index]
                tokenGroups[rank] = groups[index]
            }
        }
        let most = Int(tokenLengths.max() ?? 0)
        var counts = [Int32](repeating: 0, count: most + 2)
        for length in tokenLengths { counts[Int(length)] += 1 }
        longerCount = [Int32](repeating: 0, count: most + 1)
        var longer: Int32 = 0
        for length in stride(from: most, through: 0, by: -1) {
            longerCount[length] = longer
            longer += counts[length]
        }
        var next = longerCount
        longestFirst = [Int32](repeating: 0, count: tokens.count)
        for (rank, length) in tokenLengths.enumerated() {
            longestFirst[Int(next[Int(length)])] = Int32(rank)
            next[Int(length)] += 1
        }
    }

    /// Fills what a node knows of its subtree, from the leaves up.
    private mutating func summarize(_ parents: [Int32]) {
        childGroups = [UInt64](repeating: 0, count: nodes.count)
        // Bit p: everything below is well-formed if the decoder is in phase p at the node.
        var wellFormed = [UInt8](repeating: 0xFF, count: nodes.count)
        for index in stride(from: parents.count - 1, through: 1, by: -1) {
            let parent = Int(parents[index])
            let node = nodes[index]
            let bit = ByteGroups.bit(node.byte)
            childGroups[parent] |= bit
            nodes[parent].groups |= node.groups | bit
            let starts: UInt8 = node.byte & 0xC0 == 0x80 ? 0 : 1
            let scalars = node.scalars &+ starts < node.scalars ? 255 : node.scalars &+ starts
            nodes[parent].scalars = max(nodes[parent].scalars, scalars)
            nodes[index].isClean = wellFormed[index] & 1 != 0
            for phase in UTF8Phase.all where wellFormed[parent] >> phase & 1 != 0 {
                let next = UTF8Phase.next(phase, node.byte)
                if next == UTF8Phase.bad || wellFormed[index] >> next & 1 == 0 {
                    wellFormed[parent] &= ~(1 << phase)
                }
            }
            if parent == 0 { rootChildren[Int(node.byte)] = Int32(index) }
        }
        nodes[0].isClean = wellFormed[0] & 1 != 0
    }

    /// The first child of `node`, which has a table, by a byte of `bytes` beyond `byte`; the node behind all of its
    /// children when there is none.
    func child(of node: Int, after byte: UInt8, in bytes: ByteSet) -> Int32 {
        let table = (Int(nodes[node].table) - 1) * 256
        var rest = bytes.members(above: byte)
        while let candidate = rest.first {
            let child = childTables[table + Int(candidate)]
            if child != 0 { return child }
            rest.remove(candidate)
        }
        return nodes[node].end
    }

    /// The child of `node` by `byte`, 0 when there is none.
    func child(of node: Int32, _ byte: UInt8) -> Int32 {
        if node == 0 { return rootChildren[Int(byte)] }
        let table = Int(nodes[Int(node)].table)
        if table > 0 { return childTables[(table - 1) * 256 + Int(byte)] }
        let end = nodes[Int(node)].end
        var child = node + 1
        while child < end {
            let candidate = nodes[Int(child)]
            if candidate.byte == byte { return child }
            if candidate.byte > byte { return 0 }
            child = candidate.end
        }
        return 0
    }
}

/// Where in a scalar's UTF-8 form a decoder stands: 0 between scalars, 1 to 3 continuation bytes to come, 4 to 7 after
/// a lead byte that narrows its first continuation byte (E0, ED, F0, F4). Unicode 16, table 3-7.
enum UTF8Phase {
    static let all: ClosedRange<UInt8> = 0...7
    static let bad: UInt8 = 0xFF

    static func next(_ phase: UInt8, _ byte: UInt8) -> UInt8 {
        switch phase {
        case 0:
            switch byte {
            case 0...0x7F: return 0
            case 0xC2...0xDF: return 1
            case 0xE0: return 4
            case 0xED: return 5
            case 0xE1...0xEF: return 2
            case 0xF0: return 6
            case 0xF4: return 7
            case 0xF1...0xF3: return 3
            default: return bad
            }
        case 1, 2, 3: return (0x80...0xBF).contains(byte) ? phase - 1 : bad
        case 4: return (0xA0...0xBF).contains(byte) ? 1 : bad
        case 5: return (0x80...0x9F).contains(byte) ? 1 : bad
        case 6: return (0x90...0xBF).contains(byte) ? 2 : bad
        default: return (0x80...0x8F).contains(byte) ? 2 : bad
        }
    }
}
