/// Token texts of a model: id → bytes and bytes → id, in flat arrays.
///
/// Keys are bytes. In the byte-level form a token is stored as the bytes that it stands for, not in the alphabet of
/// `ByteLevelAlphabet`, so that text is looked up as it is; the few tokens that have characters outside the alphabet
/// keep their text and are found by text only.
struct Vocabulary: Sendable {
    /// Largest id that is accepted, so that one entry cannot claim gigabytes.
    static let idLimit = 1 << 24

    let isByteLevel: Bool
    /// Number of entries in the file, holes not counted.
    let count: Int
    /// Highest id + 1.
    let size: Int
    /// Bytes of the longest token.
    let longest: Int

    /// An id that the file gives to two texts, if there is one. Such a vocabulary is of no use.
    let conflictingID: Int32?

    private let storage: [UInt8]
    /// Place of each id in `storage`; an absent id has `lengths` −1.
    private let starts: [UInt32]
    private let lengths: [Int32]
    /// Open addressing with linear probing; an entry is hash (high half) and id, or `emptySlot`.
    private let slots: [UInt64]
    /// Text → id of the tokens outside the alphabet.
    private let outsiders: [[UInt8]: Int32]
    private let outsiderIDs: Set<Int32>

    private static let emptySlot = UInt64.max

    /// `texts` holds the token texts one after the other; entry i has `ids[i]` and ends at `ends[i]`.
    init(texts: [UInt8], ends: [Int], ids: [Int32], isByteLevel: Bool) {
        var storage: [UInt8] = []
        storage.reserveCapacity(texts.count)
        let size = Int((ids.max() ?? -1) + 1)
        var starts = [UInt32](repeating: 0, count: size)
        var lengths = [Int32](repeating: -1, count: size)
        var outsiders: [[UInt8]: Int32] = [:]
        var capacity = 16
        while capacity < ids.count * 2 { capacity *= 2 }
        var slots = [UInt64](repeating: Self.emptySlot, count: capacity)
        var longest = 0
        var count = 0
        var conflictingID: Int32?

        var start = 0
        let span = texts.span
        for (end, id) in zip(ends, ids) {
            let text = span.extracting(start..<end)
            start = end
            if lengths[Int(id)] >= 0 { conflictingID = id }
            let first = storage.count
            if isByteLevel {
                if !ByteLevelAlphabet.decode(text, into: &storage) {
                    storage.append(contentsOf: texts[end - text.count..<end])
                    let known = outsiders.updateValue(id, forKey: Array(texts[end - text.count..<end]))
                    if known == nil { count += 1 }
                    starts[Int(id)] = UInt32(first)
                    lengths[Int(id)] = Int32(storage.count - first)
                    continue
                }
            } else {
                storage.append(contentsOf: texts[end - text.count..<end])
            }
            starts[Int(id)] = UInt32(first)
            lengths[Int(id)] = Int32(storage.count - first)
            longest = max(longest, storage.count - first)

            let key = storage.span.extracting(first..<storage.count)
            let hash = Self.hash(key)
            var slot = Int(hash) & (capacity - 1)
            while true {
                let entry = slots[slot]
                if entry == Self.emptySlot {
                    count += 1
                    break
                }
                // The same text again: the later entry counts, as in a map that is filled in order.
                if entry >> 32 == hash, Self.equals(key, storage.span, starts, lengths, Int(entry & 0xFFFF_FFFF)) {
                    break
                }
                slot = (slot + 1) & (capacity - 1)
            }
            slots[slot] = hash << 32 | UInt64(id)
        }
        self.isByteLevel = isByteLevel
        self.count = count
        self.size = size
        self.longest = longest
        self.conflictingID = conflictingID
        self.storage = storage
        self.starts = starts
        self.lengths = lengths
        self.slots = slots
        self.outsiders = outsiders
        outsiderIDs = Set(outsiders.values)
    }

    /// 32 bits of FNV-1a with a final mix.
    @inline(__always)
    private static func hash(_ key: Span<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in key.indices {
            hash = (hash ^ UInt64(key[index])) &* 0x0000_0100_0000_01B3
        }
        hash ^= hash &>> 32
        return (hash &* 0x9E37_79B9_7F4A_7C15) &>> 32
    }

    @inline(__always)
    private static func equals(
        _ key: Span<UInt8>, _ storage: Span<UInt8>, _ starts: [UInt32], _ lengths: [Int32], _ id: Int
    ) -> Bool {
        let length = Int(lengths[id])
        guard length == key.count else { return false }
        let start = Int(starts[id])
        for index in 0..<length where storage[start &+ index] != key[index] { return false }
        return true
    }

    /// Id of the token whose stored bytes are `key`, or −1.
    ///
    /// - Complexity: O(key).
    @inline(__always)
    func id(ofKey key: Span<UInt8>) -> Int32 {
        guard key.count <= longest else { return -1 }
        let hash = Self.hash(key)
        let slots = self.slots.span
        let mask = slots.count &- 1
        var slot = Int(hash) & mask
        while true {
            let entry = slots[slot]
            if entry == Self.emptySlot { return -1 }
            if entry &>> 32 == hash, Self.equals(key, storage.span, starts, lengths, Int(entry & 0xFFFF_FFFF)) {
                return Int32(truncatingIfNeeded: entry & 0xFFFF_FFFF)
            }
            slot = (slot &+ 1) & mask
        }
    }

    /// Id of the token that the file spells `text`.
    func id(ofText text: [UInt8]) -> Int32? {
        guard isByteLevel else {
            let id = id(ofKey: text.span)
            return id < 0 ? nil : id
        }
        var key: [UInt8] = []
        guard ByteLevelAlphabet.decode(text.span, into: &key) else { return outsiders[text] }
        let id = id(ofKey: key.span)
        return id < 0 ? nil : id
    }

    func contains(_ id: Int32) -> Bool {
        id >= 0 && id < size && lengths[Int(id)] >= 0
    }

    /// The stored bytes of `id`; empty for an absent id.
    func key(of id: Int32) -> ArraySlice<UInt8> {
        guard contains(id) else { return [] }
        let start = Int(starts[Int(id)])
        return storage[start..<start + Int(lengths[Int(id)])]
    }

    /// Appends the token as the file spells it.
    func appendText(of id: Int32, to output: inout [UInt8]) {
        let key = key(of: id)
        if isByteLevel, !outsiderIDs.contains(id) {
            ByteLevelAlphabet.encode(storage.span.extracting(key.startIndex..<key.endIndex), into: &output)
        } else {
            output.append(contentsOf: key)
        }
    }

    /// Appends what the byte-level decoder makes of the token.
    func appendDecodedBytes(of id: Int32, to output: inout [UInt8]) {
        if isByteLevel {
            output.append(contentsOf: key(of: id))
        } else {
            var text: [UInt8] = []
            appendText(of: id, to: &text)
            if !ByteLevelAlphabet.decode(text.span, into: &output) { output.append(contentsOf: text) }
        }
    }
}
