/// What a `DiskTier` knows of the files in its folder. Only a hint: another server may add and remove files at any time.
struct DiskIndex: Sendable {
    private struct Entry: Sendable {
        var bytes: Int
        /// Seconds of the last use, earlier by a microsecond for each page before it in its sequence: of pages used
        /// together the last goes first, because it is worth nothing without those before it.
        var lastUse: Double
    }
    private var entries: [String: Entry] = [:]
    private(set) var bytes = 0

    var count: Int { entries.count }

    func contains(_ name: String) -> Bool { entries[name] != nil }

    mutating func insert(_ name: String, bytes size: Int, lastUse: Double) {
        bytes += size - (entries[name]?.bytes ?? 0)
        entries[name] = Entry(bytes: size, lastUse: lastUse)
    }

    mutating func remove(_ name: String) {
        if let entry = entries.removeValue(forKey: name) { bytes -= entry.bytes }
    }

    /// - Returns: the recorded last use before, nil if the name is unknown.
    mutating func touch(_ name: String, lastUse: Double) -> Double? {
        guard let before = entries[name]?.lastUse else { return nil }
        if lastUse > before { entries[name]?.lastUse = lastUse }
        return before
    }

    /// The least recently used names whose removal leaves at most `limit` bytes.
    /// - Complexity: O(n log n); the caller asks for enough at once that this is rare.
    func oldest(leaving limit: Int) -> [String] {
        guard bytes > limit else { return [] }
        var left = bytes
        var names: [String] = []
        let order = entries.sorted { a, b in
            a.value.lastUse != b.value.lastUse ? a.value.lastUse < b.value.lastUse : a.key < b.key
        }
        for (name, entry) in order {
            if left <= limit { break }
            left -= entry.bytes
            names.append(name)
        }
        return names
    }
}
