/// `WordPiece`: joins parts that start with the prefix, writes spaces before the others.
struct WordPieceDecoder: DecoderStep {
    let prefix: [UInt8]
    /// Takes back the spaces that the pre-tokenizer put before punctuation and English contractions.
    let cleansUp: Bool
    private var token: [UInt8] = []
    private var isFirst = true

    init(prefix: [UInt8], cleansUp: Bool) {
        self.prefix = prefix
        self.cleansUp = cleansUp
    }

    /// In this order, each over the result of the one before.
    private static let cleanups: [(LiteralText, StaticString)] = [
        (LiteralText(" ."), "."), (LiteralText(" ?"), "?"), (LiteralText(" !"), "!"), (LiteralText(" ,"), ","),
        (LiteralText(" ' "), "'"), (LiteralText(" n't"), "n't"), (LiteralText(" 'm"), "'m"),
        (LiteralText(" do not"), " don't"), (LiteralText(" 's"), "'s"), (LiteralText(" 've"), "'ve"),
        (LiteralText(" 're"), "'re"),
    ]

    mutating func process(_ input: TokenFragments, isFinal: Bool) -> TokenFragments {
        var output = TokenFragments()
        input.forEachPart { range, isEnd in
            token += input.bytes[range]
            guard isEnd else { return }
            output.bytes += decoded(token, isFirst: isFirst)
            output.ends.append(output.bytes.count)
            isFirst = false
            token.removeAll(keepingCapacity: true)
        }
        return output
    }

    private func decoded(_ token: [UInt8], isFirst: Bool) -> [UInt8] {
        var text = token
        if !isFirst {
            if text.starts(with: prefix) { text.removeFirst(prefix.count) } else { text.insert(0x20, at: 0) }
        }
        if cleansUp {
            for (literal, replacement) in Self.cleanups { text = literal.replaced(in: text, with: replacement) }
        }
        return text
    }

    func running(_ piece: inout RunningPiece) {
        piece.bytes = decoded(piece.bytes, isFirst: false)
    }
}

/// A text to be searched for.
struct LiteralText: Sendable {
    let bytes: [UInt8]

    init(_ text: StaticString) {
        bytes = text.withUTF8Buffer { Array($0) }
    }

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// `text` with each occurrence, found from the left, replaced.
    func replaced(in text: [UInt8], with replacement: StaticString) -> [UInt8] {
        guard !bytes.isEmpty, text.count >= bytes.count else { return text }
        var output: [UInt8] = []
        var index = 0
        while index < text.count {
            if text[index] == bytes[0], text[index...].starts(with: bytes) {
                replacement.withUTF8Buffer { output.append(contentsOf: $0) }
                index += bytes.count
            } else {
                output.append(text[index])
                index += 1
            }
        }
        return output
    }
}
