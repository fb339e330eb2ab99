/// The tokens that are found in the text before anything else: special tokens such as `<|im_start|>`, and words that
/// were added to a trained vocabulary.
struct AddedTokens: Sendable {
    struct Token: Sendable {
        var content: [UInt8]
        var id: Int32
        /// Only where no word character touches it.
        var isSingleWord: Bool
        /// Takes the white space on its left with it.
        var stripsLeft: Bool
        /// Takes the white space on its right with it.
        var stripsRight: Bool
        /// Looked for in the normalized text, in its normalized spelling.
        var isNormalized: Bool
        /// Left out of decoded text on request, and not looked for in text that is not trusted.
        var isSpecial: Bool
        /// Spelling after normalization; equal to `content` for tokens that are not normalized.
        var spelling: [UInt8]
    }

    /// In the order of their ids.
    let tokens: [Token]
    /// Found in the text as it is.
    let plain: AddedTokenMatcher
    /// Found in the normalized text.
    let normalized: AddedTokenMatcher
    private let byID: [Int32: Int]
    private let byContent: [[UInt8]: Int32]

    /// `unordered` in the order of the file: of equal contents or ids the last one counts.
    init(_ unordered: [Token]) {
        var latest: [Int32: Token] = [:]
        var byContent: [[UInt8]: Int32] = [:]
        for token in unordered {
            latest[token.id] = token
            byContent[token.content] = token.id
        }
        tokens = latest.values.sorted { $0.id < $1.id }
        byID = Dictionary(uniqueKeysWithValues: tokens.enumerated().map { ($0.element.id, $0.offset) })
        self.byContent = byContent
        plain = AddedTokenMatcher(tokens.filter { !$0.isNormalized })
        normalized = AddedTokenMatcher(tokens.filter(\.isNormalized))
    }

    func id(of content: [UInt8]) -> Int32? {
        byContent[content]
    }

    func token(of id: Int32) -> Token? {
        byID[id].map { tokens[$0] }
    }
}

/// Finds added tokens: at each place the longest, from left to right.
struct AddedTokenMatcher: Sendable {
    private struct Node {
        var token: Int32 = -1
        /// Children in `edges`, by byte.
        var children: [(byte: UInt8, node: Int32)] = []
    }

    private let tokens: [AddedTokens.Token]
    private let nodes: [Node]
    /// Child of the root by byte, −1 where there is none: most bytes of a text end here.
    private let roots: [Int32]

    var isEmpty: Bool { tokens.isEmpty }

    init(_ tokens: [AddedTokens.Token]) {
        var nodes = [Node()]
        for (number, token) in tokens.enumerated() where !token.spelling.isEmpty {
            var node = 0
            for byte in token.spelling {
                if let child = nodes[node].children.first(where: { $0.byte == byte }) {
                    node = Int(child.node)
                } else {
                    nodes.append(Node())
                    nodes[node].children.append((byte, Int32(nodes.count - 1)))
                    node = nodes.count - 1
                }
            }
            nodes[node].token = Int32(number)
        }
        for index in nodes.indices { nodes[index].children.sort { $0.byte < $1.byte } }
        var roots = [Int32](repeating: -1, count: 256)
        for child in nodes[0].children { roots[Int(child.byte)] = child.node }
        self.tokens = tokens
        self.nodes = nodes
        self.roots = roots
    }

    /// A part of a text: an added token, or what lies between.
    struct Part {
        var range: Range<Int>
        /// Id of the token, or −1.
        var id: Int32
    }

    /// The parts of `text` in order. With `parseSpecial` false special tokens stay text.
    ///
    /// - Complexity: O(text · longest added token) in the worst case, O(text) as a rule.
    func parts(of text: [UInt8], parseSpecial: Bool) -> [Part] {
        if tokens.isEmpty { return text.isEmpty ? [] : [Part(range: 0..<text.count, id: -1)] }
        var result: [Part] = []
        var written = 0
        var position = 0
        let span = text.span
        let roots = self.roots.span
        while position < span.count {
            if roots[Int(span[position])] < 0 {
                position &+= 1
                continue
            }
            guard let (number, length) = longest(span, at: position) else {
                position += 1
                continue
            }
            let token = tokens[number]
            var range = position..<position + length
            position = range.upperBound
            if token.isSpecial, !parseSpecial { continue }
            if token.isSingleWord, touchesWord(span, range) { continue }
            if token.stripsLeft {
                var start = range.lowerBound
                while start > written {
                    let previous = UTF8Text.start(before: start, in: span, lower: 0)
                    guard previous >= written,
                        UnicodeTables.whiteSpace.contains(UTF8Text.scalar(in: span, at: previous).value)
                    else { break }
                    start = previous
                }
                range = start..<range.upperBound
            }
            if token.stripsRight {
                var end = range.upperBound
                while end < span.count {
                    let (scalar, next) = UTF8Text.scalar(in: span, at: end)
                    guard UnicodeTables.whiteSpace.contains(scalar) else { break }
                    end = next
                }
                range = range.lowerBound..<end
            }
            if written < range.lowerBound { result.append(Part(range: written..<range.lowerBound, id: -1)) }
            result.append(Part(range: range, id: token.id))
            written = range.upperBound
        }
        if written < text.count { result.append(Part(range: written..<text.count, id: -1)) }
        return result
    }

    private func longest(_ text: Span<UInt8>, at start: Int) -> (number: Int, length: Int)? {
        var node = 0
        var position = start
        var found: (Int, Int)?
        while position < text.count {
            let byte = text[position]
            let children = nodes[node].children
            var low = 0
            var high = children.count
            while low < high {
                let middle = (low &+ high) / 2
                if children[middle].byte < byte { low = middle &+ 1 } else { high = middle }
            }
            guard low < children.count, children[low].byte == byte else { break }
            node = Int(children[low].node)
            position &+= 1
            if nodes[node].token >= 0 { found = (Int(nodes[node].token), position &- start) }
        }
        return found
    }

    private func touchesWord(_ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
        let word = UnicodeTables.word
        if range.lowerBound > 0 {
            let previous = UTF8Text.start(before: range.lowerBound, in: text, lower: 0)
            if word.contains(UTF8Text.scalar(in: text, at: previous).value) { return true }
        }
        return range.upperBound < text.count
            && word.contains(UTF8Text.scalar(in: text, at: range.upperBound).value)
    }
}
