import CKernels
import Glibc

/// Natural logarithm of a positive number.
func logarithm(_ value: Double) -> Double { log(value) }

/// Finds a place in the descending order (value, then lowest id) of a row by count or by mass: counts above a few
/// levels, descends into the bracket that holds the place, and sorts only what is left there.
///
/// A pass shrinks the range of values eightfold, so a search costs one or two passes over the vocabulary and a few over
/// small subsets.
struct DescendingSearch {
    /// Working memory: one element for each of the vocabulary and a vector more.
    struct Subset {
        let x: UnsafeMutablePointer<Float>
        let weights: UnsafeMutablePointer<Float>
        let ids: UnsafeMutablePointer<Int32>
        /// `sortable` elements.
        let entries: UnsafeMutablePointer<Entry>

        static let sortable = 256
        static let entryBytes = sortable * MemoryLayout<Entry>.stride
    }

    struct Entry {
        var value: Float
        var weight: Float
        var id: Int32
    }

    /// An element of the order. `count` and `mass` include it and all before it.
    struct Place {
        var id: Int32
        var count: Int
        var mass: Double
    }

    enum Goal {
        /// The n-th element.
        case count(Int)
        /// The first at which the running sum is at least this.
        case reach(Double)
        /// The first at which the running sum is more than this.
        case exceed(Double)

        func isMet(_ count: Int, _ mass: Double) -> Bool {
            switch self {
            case .count(let n): count >= n
            case .reach(let target): count > 0 && mass >= target
            case .exceed(let target): mass > target
            }
        }
    }

    private let kernels: ck_sample_table
    private let x: UnsafePointer<Float>
    private let weights: UnsafePointer<Float>
    private let count: Int
    private let maximum: Float
    private let temperature: Float
    private let subset: Subset
    private static let levels = CK_SAMPLE_LEVELS
    private typealias Levels = InlineArray<8, Float>

    /// - Parameters:
    ///   - x: clean logits with a finite `maximum`.
    ///   - weights: `exp((x - maximum) / temperature)`.
    init(
        kernels: ck_sample_table, x: UnsafePointer<Float>, weights: UnsafePointer<Float>, count: Int, maximum: Float,
        temperature: Float, subset: Subset
    ) {
        precondition(Self.levels == 8)
        self.kernels = kernels
        self.x = x
        self.weights = weights
        self.count = count
        self.maximum = maximum
        self.temperature = temperature
        self.subset = subset
    }

    /// Count and mass of the elements whose weight is at least `least`.
    func aboveWeight(_ least: Float) -> (count: Int, mass: Double) {
        let (counts, sums) = measure(weights, weights, count, Levels(repeating: least))
        return (Int(counts[0]), sums[0])
    }

    /// Nil if the order ends before the goal is met; elements of -infinity are not in it.
    func find(_ goal: Goal) -> Place? {
        // The mass of a language model lies near its maximum: first look there.
        let gaps: Levels = [0.5, 1, 2, 3.5, 5, 7.5, 11, 16]
        var levels = Levels(repeating: 0)
        for i in 0..<Self.levels { levels[i] = max(maximum - gaps[i] * temperature, -.greatestFiniteMagnitude) }
        var before = Place(id: -1, count: 0, mass: 0)
        var n = descend(&before, goal, x, weights, nil, count, levels)
        // Even steps of value separate logits well, but not from an outlier such as -1e38. Even steps of the float's
        // bit pattern always do: eightfold narrowing leaves one of its 2^32 values after eleven passes.
        let valuePasses = 4
        var pass = 0
        while n > Subset.sortable {
            var (low, high) = (subset.x[0], subset.x[0])
            for i in 1..<n {
                low = min(low, subset.x[i])
                high = max(high, subset.x[i])
            }
            if low == high { break }
            for i in 0..<Self.levels {
                // Never above `high`, so that there is always something above; the last is all that is left.
                if i == Self.levels - 1 {
                    levels[i] = low
                } else if pass < valuePasses {
                    levels[i] = min(high, high - (high / 8 - low / 8) * Float(i + 1))
                } else {
                    let range = Int(Self.order(high)) - Int(Self.order(low))
                    levels[i] = Self.value(Int32(Int(Self.order(high)) - range * (i + 1) / Self.levels))
                }
            }
            pass += 1
            n = descend(&before, goal, subset.x, subset.weights, UnsafePointer(subset.ids), n, levels)
        }
        return walk(before, goal, n)
    }

    /// Bit patterns of floats as integers in the same order.
    private static func order(_ value: Float) -> Int32 {
        let bits = Int32(bitPattern: value.bitPattern)
        return bits >= 0 ? bits : bits ^ 0x7fff_ffff
    }

    private static func value(_ order: Int32) -> Float {
        Float(bitPattern: UInt32(bitPattern: order >= 0 ? order : order ^ 0x7fff_ffff))
    }

    /// Moves `before` to the start of the bracket in which the goal is met and gathers the bracket.
    /// - Returns: its size.
    private func descend(
        _ before: inout Place, _ goal: Goal, _ x: UnsafePointer<Float>, _ weights: UnsafePointer<Float>,
        _ ids: UnsafePointer<Int32>?, _ n: Int, _ levels: Levels
    ) -> Int {
        let (counts, sums) = measure(x, weights, n, levels)
        var bracket = 0
        while bracket < Self.levels, !goal.isMet(before.count + Int(counts[bracket]), before.mass + sums[bracket]) {
            bracket += 1
        }
        let low = bracket < Self.levels ? levels[bracket] : -.greatestFiniteMagnitude
        let high = bracket > 0 ? levels[bracket - 1] : .infinity
        if bracket > 0 {
            before.count += Int(counts[bracket - 1])
            before.mass += sums[bracket - 1]
        }
        return Int(kernels.collect(x, weights, ids, Int32(n), low, high, subset.x, subset.weights, subset.ids))
    }

    private func measure(
        _ x: UnsafePointer<Float>, _ weights: UnsafePointer<Float>, _ n: Int, _ levels: Levels
    ) -> (InlineArray<8, Int32>, InlineArray<8, Double>) {
        var counts = InlineArray<8, Int32>(repeating: 0)
        var sums = InlineArray<8, Double>(repeating: 0)
        var levels = levels
        withUnsafeMutablePointer(to: &counts) { counts in
            withUnsafeMutablePointer(to: &sums) { sums in
                withUnsafeMutablePointer(to: &levels) { levels in
                    kernels.levels(
                        x, weights, Int32(n), UnsafeRawPointer(levels).assumingMemoryBound(to: Float.self),
                        UnsafeMutableRawPointer(counts).assumingMemoryBound(to: Int32.self),
                        UnsafeMutableRawPointer(sums).assumingMemoryBound(to: Double.self))
                }
            }
        }
        return (counts, sums)
    }

    private func walk(_ before: Place, _ goal: Goal, _ n: Int) -> Place? {
        if n == 0 { return nil }
        var place = before
        func step(_ id: Int32, _ weight: Float) -> Bool {
            place = Place(id: id, count: place.count + 1, mass: place.mass + Double(weight))
            return goal.isMet(place.count, place.mass)
        }
        if n <= Subset.sortable {
            var entries = UnsafeMutableBufferPointer(start: subset.entries, count: n)
            for i in 0..<n {
                entries.initializeElement(
                    at: i, to: Entry(value: subset.x[i], weight: subset.weights[i], id: subset.ids[i]))
            }
            entries.sort { $0.value != $1.value ? $0.value > $1.value : $0.id < $1.id }
            for entry in entries {
                if step(entry.id, entry.weight) { return place }
            }
        } else {
            // All equal, and gathered in order of ids.
            for i in 0..<n {
                if step(subset.ids[i], subset.weights[i]) { return place }
            }
        }
        // The sums of a pass and of this walk may differ in their last bits; then the last element is the place.
        if case .count = goal { return nil }
        return place.mass > 0 && n > 0 ? place : nil
    }
}
