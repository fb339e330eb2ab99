/// A set of Unicode scalar values as sorted, disjoint, non-adjacent closed ranges. Surrogates are never members: they
/// have no UTF-8 form.
package struct CodePointSet: Hashable, Sendable {
    /// `lower...upper`, both included.
    package struct Interval: Hashable, Sendable {
        package var lower: UInt32
        package var upper: UInt32

        package init(_ lower: UInt32, _ upper: UInt32) {
            self.lower = lower
            self.upper = upper
        }
    }

    package static let maximum: UInt32 = 0x10_FFFF
    package static let empty = CodePointSet(sorted: [])
    package static let all = CodePointSet(sorted: [Interval(0, 0xD7FF), Interval(0xE000, maximum)])

    package private(set) var intervals: [Interval]

    private init(sorted: [Interval]) { intervals = sorted }

    /// Takes intervals in any order, overlapping or not.
    package init(_ intervals: [Interval]) {
        let sorted = intervals.filter { $0.lower <= $0.upper }.sorted { $0.lower < $1.lower }
        var merged: [Interval] = []
        for interval in sorted {
            if let last = merged.last, interval.lower <= last.upper &+ 1 {
                merged[merged.count - 1].upper = max(last.upper, interval.upper)
            } else {
                merged.append(interval)
            }
        }
        self.init(sorted: merged.contains { $0.upper >= 0xD800 } ? Self.withoutSurrogates(merged) : merged)
    }

    package init(_ lower: UInt32, _ upper: UInt32) { self.init([Interval(lower, upper)]) }

    package init(_ scalars: some Sequence<UInt32>) { self.init(scalars.map { Interval($0, $0) }) }

    private static func withoutSurrogates(_ intervals: [Interval]) -> [Interval] {
        var kept: [Interval] = []
        for interval in intervals {
            if interval.lower < 0xD800 { kept.append(Interval(interval.lower, min(interval.upper, 0xD7FF))) }
            if interval.upper > 0xDFFF { kept.append(Interval(max(interval.lower, 0xE000), interval.upper)) }
        }
        return kept
    }

    package var isEmpty: Bool { intervals.isEmpty }

    package func contains(_ scalar: UInt32) -> Bool {
        var low = 0
        var high = intervals.count
        while low < high {
            let middle = (low + high) / 2
            if intervals[middle].upper < scalar { low = middle + 1 } else { high = middle }
        }
        return low < intervals.count && intervals[low].lower <= scalar
    }

    package func union(_ other: CodePointSet) -> CodePointSet { CodePointSet(intervals + other.intervals) }

    package var inverted: CodePointSet {
        var gaps: [Interval] = []
        var next: UInt32 = 0
        for interval in intervals {
            if interval.lower > next { gaps.append(Interval(next, interval.lower - 1)) }
            next = interval.upper + 1
        }
        if next <= Self.maximum { gaps.append(Interval(next, Self.maximum)) }
        return CodePointSet(gaps)
    }

    package func intersection(_ other: CodePointSet) -> CodePointSet {
        var common: [Interval] = []
        var left = 0
        var right = 0
        while left < intervals.count, right < other.intervals.count {
            let lower = max(intervals[left].lower, other.intervals[right].lower)
            let upper = min(intervals[left].upper, other.intervals[right].upper)
            if lower <= upper { common.append(Interval(lower, upper)) }
            if intervals[left].upper < other.intervals[right].upper { left += 1 } else { right += 1 }
        }
        return CodePointSet(sorted: common)
    }

    package func subtracting(_ other: CodePointSet) -> CodePointSet { intersection(other.inverted) }
}
