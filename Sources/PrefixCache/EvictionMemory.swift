/// What was evicted lately, and when, so that a miss can be told from a first time. Prefixes are remembered by their
/// hash alone, at every page border and at the end of what was evicted.
///
/// A set-associative table like a processor's cache: where a set is full, its oldest entry is forgotten. So noting a
/// page costs one cache line, whatever else goes on.
struct EvictionMemory: Sendable {
    private struct Entry: Sendable {
        var hash: UInt64 = 0
        /// Seconds, on the clock of whoever drives the tree; the lowest value marks an unused entry.
        var time = -Double.infinity
    }

    /// Entries in a set: a cache line's worth.
    private static let ways = 4

    private let pageSize: Int
    private var entries: [Entry]
    private let setMask: Int

    /// - Parameter capacity: prefixes remembered, rounded up to a power of two; 16 bytes each.
    init(pageSize: Int, capacity: Int) {
        self.pageSize = pageSize
        var sets = 1
        while sets * Self.ways < capacity { sets *= 2 }
        entries = Array(repeating: Entry(), count: sets * Self.ways)
        setMask = sets - 1
    }

    /// Remembers that `run`, at positions `start...` behind the prefix with `startHash`, is gone.
    /// - Complexity: O(tokens).
    mutating func add(_ run: ArraySlice<Int32>, start: Int, startHash: UInt64, now: Double) {
        var hash = startHash
        var position = start
        for token in run {
            hash = PrefixHash.extended(hash, by: token)
            position += 1
            if position % pageSize == 0 || position == start + run.count { note(hash, now: now) }
        }
    }

    /// How many of `tokens[depth..<limit]`, without gap, were cached once, and when the first of them went.
    /// - Parameter hash: of `tokens[..<depth]`.
    /// - Complexity: O(tokens found + page size).
    func evicted(_ tokens: [Int32], from depth: Int, hash: UInt64, limit: Int) -> (tokens: Int, at: Double)? {
        var found = depth
        var foundHash = hash
        var time: Double?
        var position = depth
        var hash = hash
        while position < limit {
            hash = PrefixHash.extended(hash, by: tokens[position])
            position += 1
            guard position % pageSize == 0 || position == limit else { continue }
            guard let at = self.time(of: hash) else { break }
            time = time ?? at
            found = position
            foundHash = hash
        }
        // What was evicted may have ended before the next border.
        hash = foundHash
        for position in found..<min(limit, found + pageSize) {
            hash = PrefixHash.extended(hash, by: tokens[position])
            guard let at = self.time(of: hash) else { continue }
            time = time ?? at
            found = position + 1
        }
        return time.map { (found - depth, $0) }
    }

    /// First entry of the set a hash belongs to. The low bits of a product are its worst.
    private func firstEntry(of hash: UInt64) -> Int { (Int(truncatingIfNeeded: hash >> 24) & setMask) * Self.ways }

    private func time(of hash: UInt64) -> Double? {
        let first = firstEntry(of: hash)
        for index in first..<first + Self.ways where entries[index].hash == hash && entries[index].time.isFinite {
            return entries[index].time
        }
        return nil
    }

    private mutating func note(_ hash: UInt64, now: Double) {
        let first = firstEntry(of: hash)
        var oldest = first
        for index in first..<first + Self.ways {
            if entries[index].hash == hash {
                oldest = index
                break
            }
            if entries[index].time < entries[oldest].time { oldest = index }
        }
        entries[oldest] = Entry(hash: hash, time: now)
    }
}
