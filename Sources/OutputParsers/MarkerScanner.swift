/// Finds marks such as `<tool_call>` in text that arrives byte by byte: lets bytes through as soon as they cannot be
/// part of a mark. No mark may begin another one.
struct MarkerScanner: Sendable {
    enum Lexeme: Equatable, Sendable {
        case byte(UInt8)
        /// Number of the mark in the list given.
        case marker(Int)
    }

    let markers: [[UInt8]]
    /// The end of the text so far that begins a mark, or has not been looked at.
    private var held: [UInt8] = []

    init(_ markers: [String]) { self.markers = markers.map { Array($0.utf8) } }

    mutating func push(_ byte: UInt8) { held.append(byte) }

    /// The next byte or mark that is certain; nil until more is pushed.
    /// - Complexity: O(bytes held × marks).
    mutating func next() -> Lexeme? {
        guard !held.isEmpty else { return nil }
        for (number, marker) in markers.enumerated() where marker.starts(with: held.prefix(marker.count)) {
            guard held.count >= marker.count else { return nil }
            held.removeFirst(marker.count)
            return .marker(number)
        }
        return .byte(held.removeFirst())
    }

    /// The text ends, or is read in another way from here on.
    /// - Returns: what was held back.
    mutating func finish() -> [UInt8] {
        defer { held = [] }
        return held
    }
}
