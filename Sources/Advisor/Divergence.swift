/// Why prompts that have much in common share little of a prefix: what stands at the first place where they differ.
package struct Divergence: Sendable, Equatable {
    package enum Cause: String, Sendable, CaseIterable {
        case timestamp, identifier, number
        case toolOrder = "order of the tools"
        case reordered = "order of the documents"
        case text = "other text"

        /// What to do about it.
        package var advice: String {
            switch self {
            case .timestamp:
                "Put the time at the end of the prompt (in the last message), or round it to the day."
            case .identifier:
                "Move ids of users, sessions and requests behind everything that is the same for all, or leave them out."
            case .number: "Move counters and measurements behind everything that is the same for all."
            case .toolOrder: "Send the tools in one order, sorted by name for example."
            case .reordered: "Send documents in one order (by id, say), those that most prompts have first."
            case .text: "Put what differs behind what is the same for all."
            }
        }
    }

    package var cause: Cause
    /// Name of the segment, such as `system message`.
    package var segment: String
    /// Characters into the segment, of the first example.
    package var offset: Int
    /// Requests that lose by it.
    package var requests: Int
    /// Bytes of text that an earlier prompt had as well and that cannot be reused because of it.
    package var lostBytes: Int
    /// The first place where two prompts differ, with what comes before.
    package var examples: [String]
}

/// Looks for lost sharing in texts.
package struct DivergenceFinder: Sendable {
    /// Common text behind a difference is noted from this many bytes on.
    static let minimumBytes = 64
    private static let candidates = 6

    private struct Prompt: Sendable {
        var bytes: [UInt8]
        var ends: [(name: String, end: Int)]
        var pieces: [UInt64: Int]
    }

    package private(set) var found: [Divergence] = []
    package private(set) var totalBytes = 0
    /// Common with the best earlier prompt as a prefix, and anywhere.
    package private(set) var prefixBytes = 0
    package private(set) var lostBytes = 0
    private var prompts: [Prompt] = []
    private var holders: [UInt64: [Int]] = [:]

    package init() {}

    /// - Complexity: O(bytes) on average.
    package mutating func add(_ segments: [LoggedRequest.Segment]) {
        let prompt = Self.prompt(segments)
        totalBytes += prompt.bytes.count
        // Earlier prompts with most pieces in common.
        var votes: [Int: Int] = [:]
        for (piece, size) in prompt.pieces {
            for holder in holders[piece] ?? [] { votes[holder, default: 0] += size }
        }
        let best = votes.sorted { ($0.value, $0.key) > ($1.value, $1.key) }.prefix(Self.candidates)
        var loss: (earlier: Int, prefix: Int, lost: Int)?
        var longest = 0
        for (earlier, common) in best {
            let prefix = Self.commonPrefix(prompt.bytes, prompts[earlier].bytes)
            longest = max(longest, prefix)
            let lost = common - Self.bytes(of: prompt.pieces, in: prompt.bytes[..<prefix])
            if loss == nil { loss = (earlier, prefix, lost) }
        }
        prefixBytes += longest
        // Only what no other earlier prompt would have given as a prefix is lost.
        if let loss, loss.prefix >= longest || loss.lost > longest - loss.prefix,
            loss.lost - (longest - loss.prefix) >= Self.minimumBytes, loss.prefix < prompt.bytes.count
        {
            let lost = min(loss.lost - (longest - loss.prefix), prompt.bytes.count - longest)
            lostBytes += lost
            note(prompt, prompts[loss.earlier], at: loss.prefix, lost: lost)
        }
        let index = prompts.count
        prompts.append(prompt)
        for piece in prompt.pieces.keys {
            var list = holders[piece] ?? []
            // The first and the latest: chats grow from the latest, templates from the first.
            if list.count >= 4 { list.remove(at: 1) }
            list.append(index)
            holders[piece] = list
        }
    }

    private mutating func note(_ prompt: Prompt, _ earlier: Prompt, at place: Int, lost: Int) {
        let segment = prompt.ends.firstIndex { place < $0.end } ?? prompt.ends.count - 1
        let start = segment > 0 ? prompt.ends[segment - 1].end : 0
        let name = prompt.ends[segment].name
        let cause = Self.cause(prompt, earlier, at: place, segment: segment)
        let example = Self.example(prompt.bytes, earlier.bytes, at: place, from: start)
        if let index = found.firstIndex(where: { $0.cause == cause && $0.segment == name }) {
            found[index].requests += 1
            found[index].lostBytes += lost
            if found[index].examples.count < 3 { found[index].examples.append(example) }
        } else {
            found.append(
                Divergence(
                    cause: cause, segment: name, offset: place - start, requests: 1, lostBytes: lost,
                    examples: [example]))
        }
    }

    // MARK: Text

    private static func prompt(_ segments: [LoggedRequest.Segment]) -> Prompt {
        var bytes: [UInt8] = []
        var ends: [(name: String, end: Int)] = []
        for segment in segments {
            bytes += segment.text.utf8
            ends.append((segment.name, bytes.count))
        }
        return Prompt(bytes: bytes, ends: ends, pieces: pieces(bytes))
    }

    /// Hashes of lines, and of sentences in long lines, with their sizes.
    private static func pieces(_ bytes: [UInt8]) -> [UInt64: Int] {
        var result: [UInt64: Int] = [:]
        for piece in ranges(bytes) where piece.count >= 24 { result[hash(bytes[piece])] = piece.count }
        return result
    }

    private static func ranges(_ bytes: [UInt8]) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var start = 0
        for (index, byte) in bytes.enumerated() {
            let endsLine = byte == 0x0A
            let endsSentence =
                byte == UInt8(ascii: " ") && index > start
                && (bytes[index - 1] == UInt8(ascii: ".") || index - start >= 160)
            if endsLine || endsSentence {
                ranges.append(start..<index + 1)
                start = index + 1
            }
        }
        if start < bytes.count { ranges.append(start..<bytes.count) }
        return ranges
    }

    private static func bytes(of pieces: [UInt64: Int], in prefix: ArraySlice<UInt8>) -> Int {
        let prefix = Array(prefix)
        return ranges(prefix).reduce(0) { $0 + (pieces[hash(prefix[$1])] ?? 0) }
    }

    private static func hash(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    private static func commonPrefix(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var index = 0
        let end = min(a.count, b.count)
        while index < end, a[index] == b[index] { index += 1 }
        return index
    }

    // MARK: Causes

    private static func cause(_ prompt: Prompt, _ earlier: Prompt, at place: Int, segment: Int) -> Divergence.Cause {
        let start = segment > 0 ? prompt.ends[segment - 1].end : 0
        let end = prompt.ends[segment].end
        let own = Array(prompt.bytes[start..<end])
        let other = earlier.ends.firstIndex { $0.name == prompt.ends[segment].name }.map { index in
            Array(earlier.bytes[(index > 0 ? earlier.ends[index - 1].end : 0)..<earlier.ends[index].end])
        }
        if prompt.ends[segment].name == "tools", let other, lines(own) == lines(other) { return .toolOrder }
        let mine = window(prompt.bytes, at: place)
        let theirs = window(earlier.bytes, at: place)
        if isTimestamp(mine) && isTimestamp(theirs) { return .timestamp }
        if let other {
            // The pieces behind the difference are in both, but not in this order.
            let mineAfter = Set(pieces(Array(prompt.bytes[min(place, end)..<end])).keys)
            let theirsAfter = Set(pieces(other).keys)
            let line = prompt.bytes[..<place].lastIndex(of: 0x0A).map { $0 + 1 } ?? start
            let opening = ranges(Array(prompt.bytes[line..<end])).first.map { range in
                hash(prompt.bytes[line + range.lowerBound..<line + range.upperBound])
            }
            if mineAfter.count >= 2, let opening, theirsAfter.contains(opening),
                mineAfter.intersection(theirsAfter).count * 10 >= mineAfter.count * 6
            {
                return .reordered
            }
        }
        if isIdentifier(mine) && isIdentifier(theirs) { return .identifier }
        if mine.contains(where: \.isNumber), theirs.contains(where: \.isNumber), !mine.contains(where: \.isLetter) {
            return .number
        }
        return .text
    }

    private static func lines(_ bytes: [UInt8]) -> [UInt64: Int] {
        var counts: [UInt64: Int] = [:]
        for line in bytes.split(separator: 0x0A) { counts[hash(line), default: 0] += 1 }
        return counts
    }

    /// The word, or the date of several words, around a place.
    private static func window(_ bytes: [UInt8], at place: Int) -> String {
        func isWord(_ byte: UInt8) -> Bool { byte > 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "<") }
        var low = min(place, bytes.count)
        while low > 0, isWord(bytes[low - 1]), place - low < 48 { low -= 1 }
        var high = place
        while high < bytes.count, isWord(bytes[high]), high - place < 48 { high += 1 }
        return String(decoding: bytes[low..<max(low, high)], as: UTF8.self)
    }

    /// A date, a time of day, or seconds since 1970 around now.
    private static func isTimestamp(_ word: String) -> Bool {
        if word.contains(/\d{4}[-\/.]\d{1,2}[-\/.]\d{1,2}/) || word.contains(/\d{1,2}:\d{2}/) { return true }
        if word.contains(/\d{1,2}[-\/.]\d{1,2}[-\/.]\d{2,4}/) { return true }
        return word.contains(/(^|[^0-9])1[5-9]\d{8}(\d{3})?([^0-9]|$)/)
    }

    /// A word with digits among letters, of some length; or an address.
    private static func isIdentifier(_ word: String) -> Bool {
        if word.contains("@") && word.contains(".") { return true }
        if word.contains(/[0-9a-fA-F]{8}-[0-9a-fA-F]{4}/) { return true }
        let digits = word.count(where: \.isNumber)
        let letters = word.count(where: \.isLetter)
        return digits >= 2 && letters >= 1 && digits + letters >= 5 || digits >= 4 && letters == 0
    }

    private static func example(_ mine: [UInt8], _ earlier: [UInt8], at place: Int, from start: Int) -> String {
        let before = String(decoding: mine[max(start, place - 32)..<place], as: UTF8.self)
        func after(_ bytes: [UInt8]) -> String {
            String(decoding: bytes[min(place, bytes.count)..<min(place + 28, bytes.count)], as: UTF8.self)
        }
        func oneLine(_ text: String) -> String { text.replacing("\n", with: "⏎") }
        return "…\(oneLine(before))[\(oneLine(after(earlier)))] then [\(oneLine(after(mine)))]"
    }
}
