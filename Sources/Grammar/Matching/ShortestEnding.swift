import Synchronization

extension GrammarMatcher {
    /// The fewest bytes after which the text may end, as far as they can be found by looking at states in order of their
    /// distance; empty where it may end already. Of equally short ones the first in the order of `endingBytes`.
    ///
    /// - Parameter limit: longest text wanted, in bytes. States are looked at up to a bound of their own.
    /// - Returns: nil if none was found.
    package func shortestEnding(limit: Int) -> [UInt8]? {
        if isTerminated { return [] }
        return grammar.store.withLock { $0.shortestEnding(state, limit: limit) }
    }
}

extension GrammarStore {
    /// Bytes tried to get on, those that close things first. A text that needs others has no short ending here.
    private static let endingBytes: [UInt8] =
        Array("\"}])>'0,:/=".utf8)
        + Array(" -._@1234567899abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ{[(<\n".utf8)
        + Array("!#$%&*+;?\\^`|~".utf8)
    private static let statesLookedAt = 2_000

    /// Breadth first; runs of forced bytes count as many steps as they have bytes.
    mutating func shortestEnding(_ start: Int32, limit: Int) -> [UInt8]? {
        struct Way {
            var state: StateKey
            var from: Int
            var byte: UInt8
            var length: Int
        }
        let first = states[Int(start)]
        if first.finishes { return [] }
        var ways = [Way(state: first, from: -1, byte: 0, length: 0)]
        var seen: Set<StateKey> = [first]
        var next = 0
        while next < ways.count, next < Self.statesLookedAt {
            let way = ways[next]
            if way.length == limit { return nil }
            for byte in Self.endingBytes {
                let key = step(way.state, byte)
                if key.configurations.isEmpty, !key.finishes { continue }
                if !seen.insert(key).inserted { continue }
                ways.append(Way(state: key, from: next, byte: byte, length: way.length + 1))
                guard key.finishes else { continue }
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
