/// A part of what a model said, sorted. Put together in order, the pieces hold everything that was said, without the
/// marks that sorted it.
package enum OutputPiece: Equatable, Sendable {
    /// Text for the reader.
    case content(String)
    /// Text the model wrote to itself before it answered.
    case reasoning(String)
    /// A call begins. Calls are numbered from 0 in the order in which they appear; `id` is the model's own name for the
    /// call, where its format has one.
    case call(index: Int, name: String, id: String?)
    /// More of a call's arguments: JSON text, once put together.
    case arguments(index: Int, String)
}

/// Collects pieces as bytes, so that a format may work byte by byte; neighbours of one kind become one piece.
struct PieceBuffer: Sendable {
    private enum Kind: Sendable, Equatable {
        case content
        case reasoning
        case arguments(Int)
    }

    private var pieces: [OutputPiece] = []
    private var kind = Kind.content
    private var bytes: [UInt8] = []
    /// Calls begun so far.
    private(set) var calls = 0
    private var lacksArguments = false
    /// Space that is dropped if a call or the end of reasoning comes next: it only lays the text out.
    private var space: [UInt8] = []
    /// Whether space at the beginning is dropped too.
    private var isAtStart = false
    private var isReasoning = false
    private var hasText = false

    mutating func content(_ byte: UInt8) {
        enter(reasoning: false)
        text(byte, .content)
    }

    mutating func content(_ bytes: some Sequence<UInt8>) { for byte in bytes { content(byte) } }

    mutating func reasoning(_ byte: UInt8) {
        enter(reasoning: true)
        text(byte, .reasoning)
    }

    /// Between reasoning and content.
    private mutating func enter(reasoning: Bool) {
        guard reasoning != isReasoning else { return }
        isReasoning = reasoning
        space = []
        isAtStart = true
        hasText = false
    }

    private mutating func text(_ byte: UInt8, _ kind: Kind) {
        if JSONText.isSpace(byte) {
            if !isAtStart { space.append(byte) }
            return
        }
        isAtStart = false
        hasText = true
        for byte in space { append(byte, kind) }
        space.removeAll(keepingCapacity: true)
        append(byte, kind)
    }

    /// The text ends. Space at its end stays, unless calls or reasoning stand before it.
    mutating func finish() {
        if calls == 0, !isReasoning { for byte in space { append(byte, .content) } }
        space = []
    }

    /// Begins the next call; arguments belong to it until another begins.
    mutating func call(_ name: [UInt8], id: String? = nil) {
        space = []
        isReasoning = false
        isAtStart = !hasText
        lacksArguments = true
        flush()
        pieces.append(.call(index: calls, name: String(decoding: name, as: UTF8.self), id: id))
        calls += 1
    }

    mutating func arguments(_ byte: UInt8) {
        lacksArguments = false
        append(byte, .arguments(calls - 1))
    }

    mutating func arguments(_ bytes: some Sequence<UInt8>) { for byte in bytes { arguments(byte) } }

    /// A call without arguments has none to name.
    mutating func endCall() { if lacksArguments { arguments(Array("{}".utf8)) } }

    /// What was collected since the last time.
    mutating func take() -> [OutputPiece] {
        flush()
        defer { pieces = [] }
        return pieces
    }

    private mutating func append(_ byte: UInt8, _ kind: Kind) {
        if kind != self.kind {
            flush()
            self.kind = kind
        }
        bytes.append(byte)
    }

    private mutating func flush() {
        guard !bytes.isEmpty else { return }
        let text = String(decoding: bytes, as: UTF8.self)
        bytes.removeAll(keepingCapacity: true)
        switch kind {
        case .content: pieces.append(.content(text))
        case .reasoning: pieces.append(.reasoning(text))
        case .arguments(let index): pieces.append(.arguments(index: index, text))
        }
    }
}
