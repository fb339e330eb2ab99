import Synchronization

extension GrammarMatcher {
    /// Bytes after which the text may end, the shortest that need little nesting; empty where it may end already. Special
    /// tokens among them are spelled as `TokenVocabulary.parts(of:)` reads them.
    ///
    /// - Parameter limit: longest text wanted, in bytes.
    /// - Returns: nil if there is none, or none was found among the places that are looked at.
    package func shortestEnding(limit: Int) -> [UInt8]? {
        if isTerminated { return [] }
        return grammar.store.withLock { $0.shortestEnding(state, limit: limit) }
    }
}

/// The shortest ways from terminals to their own ends, remembered: while a text is being closed, each of its last tokens
/// asks again.
struct TerminalEndings {
    private static let limit = 1_024
    private var known: [GrammarStore.Terminal: [UInt8]?] = [:]

    subscript(terminal: GrammarStore.Terminal) -> [UInt8]?? {
        get { known[terminal] }
        set {
            if known.count >= Self.limit { known = [:] }
            known[terminal] = newValue
        }
    }
}

extension GrammarStore {
    private static let placesLookedAt = 4_000

    /// Where values are free, there are endlessly many ways through arrays within arrays: those without nesting of their
    /// own are looked at first, those with more only if none of them leads to the end.
    mutating func shortestEnding(_ start: Int32, limit: Int) -> [UInt8]? {
        if states[Int(start)].finishes { return [] }
        let depth = states[Int(start)].configurations.reduce(0) { max($0, depths[Int($1.continuation)]) }
        for more in [2, 5, 10, 40] as [Int32] {
            if let text = shortestEnding(start, limit: limit, maximumDepth: depth + more) { return text }
        }
        return nil
    }

    /// Dijkstra's search over continuations: a terminal is one step, as long as the shortest text that ends it.
    private mutating func shortestEnding(_ start: Int32, limit: Int, maximumDepth: Int32) -> [UInt8]? {
        struct Way {
            var continuation: Int32
            var from: Int
            var text: [UInt8]
        }
        var ways: [Way] = []
        var waysByLength: [[Int]] = Array(repeating: [], count: limit + 1)
        var seen: Set<Int32> = []
        func goOn(_ configurations: [Configuration], from: Int, length: Int, in store: inout GrammarStore) {
            for configuration in configurations where !seen.contains(configuration.continuation) {
                guard store.depths[Int(configuration.continuation)] <= maximumDepth else { continue }
                guard let text = store.ending(of: configuration.terminal), length + text.count <= limit else {
                    continue
                }
                waysByLength[length + text.count].append(ways.count)
                ways.append(Way(continuation: configuration.continuation, from: from, text: text))
            }
        }
        goOn(states[Int(start)].configurations, from: -1, length: 0, in: &self)
        var length = 0
        while length <= limit {
            // A text cannot be empty, so that no way of the same length is added meanwhile.
            for number in waysByLength[length] where seen.insert(ways[number].continuation).inserted {
                let next = resumption(ways[number].continuation)
                if next.finishes {
                    var parts: [[UInt8]] = []
                    var place = number
                    while place >= 0 {
                        parts.append(ways[place].text)
                        place = ways[place].from
                    }
                    return Array(parts.reversed().joined())
                }
                if ways.count > Self.placesLookedAt { return nil }
                goOn(next.configurations, from: number, length: length, in: &self)
            }
            length += 1
        }
        return nil
    }

    /// The shortest text, of at least one byte, that takes `terminal` to its end; nil if none was found.
    private mutating func ending(of terminal: Terminal) -> [UInt8]? {
        if !terminal.isLeaf { return Array(literals[terminal.position..<terminal.index]) }
        if let known = endings[terminal] { return known }
        let text = leaves[terminal.index].shortestEnding(LeafAutomaton.State(terminal.position))
        endings[terminal] = .some(text)
        return text
    }
}

extension LeafAutomaton {
    private static let statesLookedAt = 4_096
    /// Where several bytes would do, the first of these: what closes things, then what is pleasant to read.
    private static let preferred: [UInt8] = {
        let first = Array("\"}])>'0,:/=".utf8) + Array(" -._@123456789".utf8)
        let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ{[(<\n".utf8)
        let known = first + letters + Array("!#$%&*+;?\\^`|~".utf8)
        return known + (0...255 as ClosedRange<UInt8>).filter { !known.contains($0) }
    }()

    /// The shortest text, of at least one byte, from `start` to a final state.
    mutating func shortestEnding(_ start: State) -> [UInt8]? {
        var bytes: [UInt8] = []
        var taken = [Bool](repeating: false, count: classes)
        for byte in Self.preferred where !taken[Int(byteClass[Int(byte)])] {
            taken[Int(byteClass[Int(byte)])] = true
            bytes.append(byte)
        }
        var ways: [(state: State, from: Int, byte: UInt8)] = [(start, -1, 0)]
        var seen: Set<State> = [start]
        var next = 0
        while next < ways.count, next < Self.statesLookedAt {
            for byte in bytes {
                let target = self.next(ways[next].state, byte)
                if target < 0 { continue }
                let isFinal = infos[Int(target)].isFinal
                guard seen.insert(target).inserted || isFinal else { continue }
                ways.append((target, next, byte))
                guard isFinal else { continue }
                var text: [UInt8] = []
                var place = ways.count - 1
                while place > 0 {
                    text.append(ways[place].byte)
                    place = ways[place].from
                }
                return text.reversed()
            }
            next += 1
        }
        return nil
    }
}
