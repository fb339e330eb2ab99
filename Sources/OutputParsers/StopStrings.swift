/// Finds the first of several stop strings in text that arrives piece by piece.
///
/// Text is let through as soon as it cannot be part of a stop string: what is held back is the longest end of the text
/// so far that begins a stop string. The match that is complete first wins, so that a generation can end at once; of
/// those that end at the same place, the longest.
///
/// A multi-pattern automaton over UTF-8 bytes (Aho and Corasick 1975). Strings are compared byte by byte; pieces may
/// end anywhere between two Unicode scalars.
/// - Complexity: amortized O(1) per byte, whatever the number of stop strings.
package struct StopStrings: Sendable {
    private struct Node {
        var next: [UInt8: Int] = [:]
        /// The state of the longest proper end of this one that begins a pattern.
        var fallback = 0
        var depth: Int
        /// The longest pattern that ends here.
        var match: Int?
    }

    private let patterns: [String]
    private let nodes: [Node]
    private var state = 0
    /// The end of the text so far that begins a pattern; as long as `state` is deep.
    private var held: [UInt8] = []
    private var isDone = false

    /// - Parameter stops: empty strings are ignored; with none left, all text passes through.
    package init(_ stops: [String]) {
        patterns = stops.filter { !$0.isEmpty }
        var nodes = [Node(depth: 0)]
        for (index, pattern) in patterns.enumerated() {
            var state = 0
            for byte in pattern.utf8 {
                if let next = nodes[state].next[byte] {
                    state = next
                } else {
                    nodes.append(Node(depth: nodes[state].depth + 1))
                    nodes[state].next[byte] = nodes.count - 1
                    state = nodes.count - 1
                }
            }
            if nodes[state].match == nil { nodes[state].match = index }
        }
        // Breadth first, so that the fallback of every shorter state is known.
        var queue = Array(nodes[0].next.values)
        var position = 0
        while position < queue.count {
            let parent = queue[position]
            position += 1
            for (byte, child) in nodes[parent].next {
                var fallback = nodes[parent].fallback
                while fallback != 0, nodes[fallback].next[byte] == nil { fallback = nodes[fallback].fallback }
                nodes[child].fallback = nodes[fallback].next[byte] ?? 0
                // A state's own pattern is longer than any pattern of its fallback.
                if nodes[child].match == nil { nodes[child].match = nodes[nodes[child].fallback].match }
                queue.append(child)
            }
        }
        self.nodes = nodes
    }

    /// Takes the next piece of text.
    /// - Returns: text that is certain, and the stop string if one is complete. The text before the stop string has then
    ///   been emitted in full; what follows it is discarded, also in later calls.
    package mutating func append(_ piece: String) -> (text: String, matched: String?) {
        if isDone { return ("", nil) }
        if patterns.isEmpty { return (piece, nil) }
        for byte in piece.utf8 {
            held.append(byte)
            step(byte)
            if let match = nodes[state].match {
                isDone = true
                let text = String(decoding: held.dropLast(patterns[match].utf8.count), as: UTF8.self)
                held = []
                return (text, patterns[match])
            }
        }
        let certain = held.count - nodes[state].depth
        let text = String(decoding: held[..<certain], as: UTF8.self)
        held.removeFirst(certain)
        return (text, nil)
    }

    /// The text ended without a match.
    /// - Returns: what was held back; nothing after a match.
    package mutating func finish() -> String {
        isDone = true
        defer { held = [] }
        return String(decoding: held, as: UTF8.self)
    }

    private mutating func step(_ byte: UInt8) {
        while true {
            if let next = nodes[state].next[byte] {
                state = next
                return
            }
            if state == 0 { return }
            state = nodes[state].fallback
        }
    }
}
