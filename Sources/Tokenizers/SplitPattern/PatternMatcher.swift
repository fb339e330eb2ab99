/// Runs pattern programs. Holds the backtracking stack, so that a text costs no allocation a match.
struct PatternMatcher {
    private struct Frame {
        enum Kind {
            /// Go on at `address` from `position`.
            case branch
            /// Next entry of the dispatch list at `address`, from `position`.
            case list
            /// Greedy loop in front of `address` that reached `position` and may shrink to `limit`.
            case shrink
            /// Lazy loop instruction at `address` that stands at `position` and may still take `limit` code points.
            case grow
        }
        var kind: Kind
        var address: Int32
        var position: Int
        var limit: Int
    }

    private var frames: [Frame] = []

    /// The first match at or behind `start` inside `bounds`, which the pattern takes for the whole text.
    ///
    /// - Complexity: O(bounds) for patterns whose branches exclude each other by their first code points, as the
    ///   published ones do; backtracking can make other patterns slower.
    mutating func firstMatch(
        of program: PatternProgram, in text: Span<UInt8>, bounds: Range<Int>, from start: Int
    ) -> Range<Int>? {
        var position = start
        let filters = !program.firstBytes.isEmpty
        while position <= bounds.upperBound {
            if filters {
                let flags = program.firstBytes.span
                while position < bounds.upperBound, !flags[Int(text[position])] { position &+= 1 }
                // No match is empty here, and a byte inside a code point is never a first byte.
                if position >= bounds.upperBound { return nil }
            }
            let end = run(program, text, bounds, address: 0, from: position)
            if end >= 0 { return position..<end }
            if position == bounds.upperBound { return nil }
            let skipped =
                program.openingLoop >= 0
                ? runEnd(program, text, bounds, set: Int(program.openingLoop), from: position) : position
            position =
                skipped > position
                ? skipped : min(position + UTF8Text.length(lead: text[position]), bounds.upperBound)
        }
        return nil
    }

    private func runEnd(
        _ program: PatternProgram, _ text: Span<UInt8>, _ bounds: Range<Int>, set: Int, from start: Int
    ) -> Int {
        var position = start
        while position < bounds.upperBound {
            let (value, next) = UTF8Text.scalar(in: text, at: position)
            guard Self.contains(program, set, value) else { break }
            position = next
        }
        return position
    }

    @inline(__always)
    private static func contains(_ program: PatternProgram, _ set: Int, _ value: UInt32) -> Bool {
        if value < 0x80 {
            return program.asciiWords[set &* 2 &+ Int(value &>> 6)] &>> UInt64(value & 63) & 1 != 0
        }
        let block = Int(program.blocks[set &* CodePointTable.blockCount &+ Int(value &>> 8)])
        return program.words[block &* 4 &+ Int(value &>> 6 & 3)] &>> UInt64(value & 63) & 1 != 0
    }

    /// End of the match that starts at `start`, or −1.
    private mutating func run(
        _ program: PatternProgram, _ text: Span<UInt8>, _ bounds: Range<Int>, address: Int, from start: Int
    ) -> Int {
        let base = frames.count
        let upper = bounds.upperBound
        let code = program.code.span
        let asciiWords = program.asciiWords.span
        let blocks = program.blocks.span
        let words = program.words.span
        var counter = address
        var position = start

        while true {
            let instruction = code[counter]
            var failed = false
            switch instruction.operation {
            case .set:
                if position < upper {
                    let (value, next) = UTF8Text.scalar(in: text, at: position)
                    if Self.contains(program, Int(instruction.a), value) {
                        position = next
                        counter &+= 1
                    } else {
                        failed = true
                    }
                } else {
                    failed = true
                }
            case .greedyLoop, .possessiveLoop, .lazyLoop:
                let set = Int(instruction.a)
                let low = asciiWords[set &* 2]
                let high = asciiWords[set &* 2 &+ 1]
                let isLazy = instruction.operation == .lazyLoop
                let minimum = Int(instruction.b)
                let bound = isLazy ? minimum : instruction.c < 0 ? Int.max : Int(instruction.c)
                var count = 0
                var least = position
                while position < upper, count < bound {
                    let byte = text[position]
                    if byte < 0x80 {
                        let word = byte < 64 ? low : high
                        guard word &>> UInt64(byte & 63) & 1 != 0 else { break }
                        position &+= 1
                    } else {
                        let (value, next) = UTF8Text.scalar(in: text, at: position)
                        let block = Int(blocks[set &* CodePointTable.blockCount &+ Int(value &>> 8)])
                        guard words[block &* 4 &+ Int(value &>> 6 & 3)] &>> UInt64(value & 63) & 1 != 0 else { break }
                        position = next
                    }
                    count &+= 1
                    if count == minimum { least = position }
                }
                if count < minimum {
                    failed = true
                } else {
                    if instruction.operation == .greedyLoop, position > least {
                        frames.append(
                            Frame(kind: .shrink, address: Int32(counter &+ 1), position: position, limit: least))
                    } else if isLazy {
                        let rest = instruction.c < 0 ? Int.max : Int(instruction.c) &- minimum
                        frames.append(Frame(kind: .grow, address: Int32(counter), position: position, limit: rest))
                    }
                    counter &+= 1
                }
            case .jump:
                counter = Int(instruction.a)
            case .fork:
                frames.append(Frame(kind: .branch, address: instruction.b, position: position, limit: 0))
                counter = Int(instruction.a)
            case .dispatch:
                let byte = position < upper ? Int(text[position]) : 256
                let list = Int(program.dispatchStarts[Int(instruction.a) &* 257 &+ byte])
                let first = program.dispatchLists[list]
                if first < 0 {
                    failed = true
                } else {
                    if program.dispatchLists[list &+ 1] >= 0 {
                        frames.append(Frame(kind: .list, address: Int32(list &+ 1), position: position, limit: 0))
                    }
                    counter = Int(first)
                }
            case .atomic:
                let end = run(program, text, bounds, address: Int(instruction.a), from: position)
                if end < 0 {
                    failed = true
                } else {
                    position = end
                    counter = Int(instruction.b)
                }
            case .lookahead:
                let end = run(program, text, bounds, address: Int(instruction.a), from: position)
                failed = (end >= 0) == (instruction.c == 1)
                counter = Int(instruction.b)
            case .lookbehind:
                var back = position
                var left = instruction.d
                while left > 0, back > bounds.lowerBound {
                    back = UTF8Text.start(before: back, in: text, lower: bounds.lowerBound)
                    left &-= 1
                }
                let end = left > 0 ? -1 : run(program, text, bounds, address: Int(instruction.a), from: back)
                failed = (end >= 0) == (instruction.c == 1)
                counter = Int(instruction.b)
            case .assertion:
                failed = !holds(instruction.a, text, bounds, at: position)
                counter &+= 1
            case .accept:
                frames.removeSubrange(base...)
                return position
            case .fail:
                failed = true
            }

            guard failed else { continue }
            guard frames.count > base else { return -1 }
            var frame = frames.removeLast()
            switch frame.kind {
            case .branch:
                position = frame.position
                counter = Int(frame.address)
            case .list:
                position = frame.position
                counter = Int(program.dispatchLists[Int(frame.address)])
                if program.dispatchLists[Int(frame.address) &+ 1] >= 0 {
                    frame.address &+= 1
                    frames.append(frame)
                }
            case .shrink:
                position = UTF8Text.start(before: frame.position, in: text, lower: frame.limit)
                counter = Int(frame.address)
                if position > frame.limit {
                    frame.position = position
                    frames.append(frame)
                }
            case .grow:
                position = frame.position
                let loop = code[Int(frame.address)]
                guard frame.limit > 0, position < upper else {
                    // Nothing to take: let the frames below have their turn.
                    counter = Self.failure(program)
                    continue
                }
                let (value, next) = UTF8Text.scalar(in: text, at: position)
                guard Self.contains(program, Int(loop.a), value) else {
                    counter = Self.failure(program)
                    continue
                }
                position = next
                counter = Int(frame.address) &+ 1
                frame.position = next
                if frame.limit < Int.max { frame.limit &-= 1 }
                frames.append(frame)
            }
        }
    }

    /// Address of the instruction that always fails.
    @inline(__always)
    private static func failure(_ program: PatternProgram) -> Int {
        program.code.count &- 1
    }

    private func holds(_ assertion: Int32, _ text: Span<UInt8>, _ bounds: Range<Int>, at position: Int) -> Bool {
        let newline: UInt8 = 0x0A
        switch assertion {
        case 0: return position == bounds.lowerBound
        case 1: return position == bounds.upperBound
        case 2:
            return position == bounds.upperBound
                || position == bounds.upperBound - 1 && text[position] == newline
        case 3:
            return position == bounds.lowerBound
                || text[position - 1] == newline && position < bounds.upperBound
        case 4: return position == bounds.upperBound || text[position] == newline
        default:
            let before =
                position > bounds.lowerBound
                && Self.isWord(text, at: UTF8Text.start(before: position, in: text, lower: bounds.lowerBound))
            let after = position < bounds.upperBound && Self.isWord(text, at: position)
            return (before != after) == (assertion == 5)
        }
    }

    private static func isWord(_ text: Span<UInt8>, at position: Int) -> Bool {
        UnicodeTables.patternWordSet.contains(UTF8Text.scalar(in: text, at: position).value)
    }
}
