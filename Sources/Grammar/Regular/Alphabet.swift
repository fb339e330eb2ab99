/// The coarsest partition of all Unicode scalars into classes that no set of a term tells apart. Derivatives are taken
/// by class, so that their cost depends on the expression and not on Unicode.
struct Alphabet {
    /// First scalar of each segment, ascending, starting at 0; a segment lies wholly in one class.
    private(set) var starts: [UInt32]
    /// The class of each segment; `Alphabet.none` for surrogates.
    private(set) var classes: [UInt16]
    private(set) var classCount: Int

    static let none = UInt16.max

    init(_ sets: some Sequence<CodePointSet>) {
        var distinct: [CodePointSet] = []
        var seen: Set<CodePointSet> = []
        for set in sets where set != .all && !set.isEmpty && seen.insert(set).inserted { distinct.append(set) }
        var points: [UInt32] = [0, 0xD800, 0xE000]
        for set in distinct {
            for interval in set.intervals {
                points.append(interval.lower)
                points.append(interval.upper + 1)
            }
        }
        points.sort()
        starts = []
        for point in points where point <= CodePointSet.maximum && starts.last != point { starts.append(point) }
        classes = [UInt16](repeating: 0, count: starts.count)
        classCount = 1
        var sizes = [starts.count]
        for set in distinct { refine(by: set, &sizes) }
        for index in starts.indices where starts[index] >= 0xD800 && starts[index] < 0xE000 {
            classes[index] = Self.none
        }
    }

    /// Splits every class that lies partly in `set`.
    private mutating func refine(by set: CodePointSet, _ sizes: inout [Int]) {
        var members: [Int] = []
        for interval in set.intervals {
            var index = segment(of: interval.lower)
            while index < starts.count, starts[index] <= interval.upper {
                members.append(index)
                index += 1
            }
        }
        var inside = [Int](repeating: 0, count: classCount)
        for index in members { inside[Int(classes[index])] += 1 }
        var renamed = [UInt16](repeating: 0, count: classCount)
        for old in inside.indices {
            renamed[old] = UInt16(old)
            if inside[old] > 0, inside[old] < sizes[old], classCount < Int(Self.none) - 1 {
                renamed[old] = UInt16(classCount)
                classCount += 1
                sizes.append(inside[old])
                sizes[old] -= inside[old]
            }
        }
        for index in members { classes[index] = renamed[Int(classes[index])] }
    }

    /// The segment that holds `scalar`.
    func segment(of scalar: UInt32) -> Int {
        var low = 0
        var high = starts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= scalar { low = middle } else { high = middle }
        }
        return low
    }

    /// The class of `scalar`, `none` for a surrogate.
    func classOf(_ scalar: UInt32) -> UInt16 { classes[segment(of: scalar)] }

    /// The last scalar of a segment.
    func end(ofSegment index: Int) -> UInt32 {
        index + 1 < starts.count ? starts[index + 1] - 1 : CodePointSet.maximum
    }

    /// The classes that make up `set`, which must be one of the sets that the alphabet was made from (or all).
    func classes(of set: CodePointSet) -> ClassSet {
        var result = ClassSet(count: classCount)
        if set == .all {
            for index in 0..<classCount { result.insert(index) }
            return result
        }
        for interval in set.intervals {
            var index = segment(of: interval.lower)
            while index < starts.count, starts[index] <= interval.upper {
                if classes[index] != Self.none { result.insert(Int(classes[index])) }
                index += 1
            }
        }
        return result
    }

    /// Scalars of class `index`, ascending, at most `limit`.
    func scalars(ofClass index: Int, limit: Int) -> [UInt32] {
        var found: [UInt32] = []
        for segment in starts.indices where Int(classes[segment]) == index {
            for scalar in starts[segment]...end(ofSegment: segment) {
                if found.count == limit { return found }
                found.append(scalar)
            }
        }
        return found
    }
}

/// A set of alphabet classes.
struct ClassSet: Hashable {
    private(set) var words: [UInt64]

    init(count: Int) { words = [UInt64](repeating: 0, count: (count + 63) / 64) }

    mutating func insert(_ index: Int) { words[index >> 6] |= 1 << UInt64(index & 63) }

    func contains(_ index: Int) -> Bool { words[index >> 6] >> UInt64(index & 63) & 1 != 0 }

    var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

    func union(_ other: ClassSet) -> ClassSet {
        var result = self
        for index in words.indices { result.words[index] |= other.words[index] }
        return result
    }

    func intersection(_ other: ClassSet) -> ClassSet {
        var result = self
        for index in words.indices { result.words[index] &= other.words[index] }
        return result
    }

    func forEach(_ body: (Int) -> Void) {
        for (index, word) in words.enumerated() {
            var rest = word
            while rest != 0 {
                body(index * 64 + rest.trailingZeroBitCount)
                rest &= rest - 1
            }
        }
    }
}
