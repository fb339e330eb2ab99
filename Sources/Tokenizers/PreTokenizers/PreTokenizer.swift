/// A pre-tokenizer of `tokenizer.json`: splits the pieces of a text further, and may rewrite them.
protocol PreTokenizer: Sendable {
    func split(_ text: inout PreTokenizedText, matcher: inout PatternMatcher)
}

/// A text and the pieces into which it has been cut so far. Pieces are never empty; what lies between them is gone.
struct PreTokenizedText {
    struct Piece {
        var range: Range<Int>
        /// Whether the piece stands at the very start of the text that was given to the tokenizer.
        var opensText: Bool
    }

    var bytes: [UInt8]
    var pieces: [Piece]

    init(_ bytes: [UInt8], opensText: Bool) {
        self.bytes = bytes
        pieces = bytes.isEmpty ? [] : [Piece(range: 0..<bytes.count, opensText: opensText)]
    }

    /// Cuts each piece by the parts that `find` reports for it: ranges in order, without holes, each a match or not.
    @inline(__always)
    mutating func cut(
        _ behavior: SplitBehavior, inverted: Bool = false,
        _ find: (Span<UInt8>, Range<Int>, (Range<Int>, Bool) -> Void) -> Void
    ) {
        var result: [Piece] = []
        result.reserveCapacity(pieces.count * 2)
        var parts: [SplitBehavior.Part] = []
        for piece in pieces {
            func add(_ range: Range<Int>) {
                if range.isEmpty { return }
                result.append(
                    Piece(range: range, opensText: piece.opensText && range.lowerBound == piece.range.lowerBound))
            }
            switch behavior {
            case .isolated:
                find(bytes.span, piece.range) { range, _ in add(range) }
            case .removed:
                find(bytes.span, piece.range) { range, isMatch in
                    if isMatch == inverted { add(range) }
                }
            default:
                parts.removeAll(keepingCapacity: true)
                find(bytes.span, piece.range) { range, isMatch in
                    parts.append(.init(range: range, isMatch: isMatch != inverted))
                }
                for range in behavior.joined(parts) { add(range) }
            }
        }
        pieces = result
    }

    /// Cuts each piece at the code points of `table`, each of them a match by itself.
    mutating func cut(_ behavior: SplitBehavior, at table: CodePointTable) {
        cut(behavior) { text, range, report in
            var start = range.lowerBound
            var index = start
            while index < range.upperBound {
                let (scalar, next) = UTF8Text.scalar(in: text, at: index)
                if table.contains(scalar) {
                    if start < index { report(start..<index, false) }
                    report(index..<next, true)
                    start = next
                }
                index = next
            }
            if start < range.upperBound { report(start..<range.upperBound, false) }
        }
    }

    /// Rewrites each piece; `body` appends the new text of the piece.
    mutating func rewrite(_ body: (Span<UInt8>, Piece, inout [UInt8]) -> Void) {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count + pieces.count)
        var result: [Piece] = []
        result.reserveCapacity(pieces.count)
        for piece in pieces {
            let start = output.count
            body(bytes.span, piece, &output)
            if output.count > start { result.append(Piece(range: start..<output.count, opensText: piece.opensText)) }
        }
        bytes = output
        pieces = result
    }
}
