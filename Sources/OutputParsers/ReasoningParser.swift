/// How a model marks what it writes to itself before it answers. Names are SGLang's; vLLM's are understood.
package enum ReasoningParser: String, Sendable, CaseIterable {
    /// `<think>…</think>`; the answer begins within the reasoning, whether the model writes the first mark or not.
    case deepSeekR1 = "deepseek-r1"
    /// `<think>…</think>`, or none at all.
    case qwen3
    /// As `qwen3`; a call ends the reasoning too.
    case kimiK2 = "kimi_k2"
    /// `◁think▷…◁/think▷`.
    case kimi
    /// `[THINK]…[/THINK]`.
    case mistral
    /// The channel `analysis` of OpenAI's Harmony format.
    case gptOSS = "gpt-oss"

    /// Other names by which the peers call the same.
    private static let aliases: [String: ReasoningParser] = [
        "deepseek_r1": .deepSeekR1, "qwen3-thinking": .deepSeekR1, "deepseek-v3": .qwen3, "deepseek_v3": .qwen3,
        "deepseek-v31": .qwen3, "glm45": .qwen3, "nemotron_3": .qwen3, "holo2": .qwen3, "ernie45": .qwen3,
        "interns1": .qwen3, "openai_gptoss": .gptOSS,
    ]

    package init?(name: String) {
        guard let found = Self(rawValue: name) ?? Self.aliases[name] else { return nil }
        self = found
    }

    /// Every name that is understood, for messages.
    package static var names: [String] { allCases.map(\.rawValue) + aliases.keys.sorted() }

    /// The parser that a chat template's marks ask for; nil if it has none.
    package init?(template: String) {
        if template.contains("<|channel|>"), template.contains("<|message|>") {
            self = .gptOSS
        } else if template.contains("◁think▷") {
            self = .kimi
        } else if template.contains("[THINK]") {
            self = .mistral
        } else if template.contains("</think>") {
            self = template.contains("<|tool_calls_section_begin|>") ? .kimiK2 : .qwen3
        } else {
            return nil
        }
    }

    /// The marks around reasoning.
    package var marks: (open: String, close: String) {
        switch self {
        case .deepSeekR1, .qwen3, .kimiK2: ("<think>", "</think>")
        case .kimi: ("◁think▷", "◁/think▷")
        case .mistral: ("[THINK]", "[/THINK]")
        case .gptOSS: ("<|channel|>analysis<|message|>", "<|end|>")
        }
    }

    /// Whether the template has closed the reasoning already, so that none comes.
    package func isOver(inPrompt prompt: String) -> Bool { prompt.suffix(64).trimmedAtEnd.hasSuffix(marks.close) }

    /// Whether an answer to this prompt begins within reasoning: the template has opened it already.
    package func beginsInReasoning(afterPrompt prompt: String) -> Bool {
        guard self != .gptOSS else { return false }
        let (open, close) = marks
        let end = prompt.suffix(64).trimmedAtEnd
        if end.hasSuffix(open) { return true }
        return self == .deepSeekR1 && !end.hasSuffix(close)
    }
}

extension Substring {
    fileprivate var trimmedAtEnd: Substring {
        var end = self
        while end.last?.isWhitespace == true { end.removeLast() }
        return end
    }
}

/// Splits reasoning from the answer, byte by byte.
struct ReasoningSplitter: Sendable {
    private enum State: Sendable {
        /// Nothing but space so far.
        case start
        /// Reasoning, and nothing of it was told yet.
        case opened
        case reasoning
        case answer
    }

    private var state: State
    private var scanner: MarkerScanner
    /// Space before anything else: of the answer, if no reasoning follows.
    private var space: [UInt8] = []

    /// - Parameter call: the mark that begins a call, which ends reasoning too.
    init(open: String, close: String, call: String?, beginsInReasoning: Bool) {
        state = beginsInReasoning ? .opened : .start
        scanner = MarkerScanner([open, close] + (call.map { [$0] } ?? []))
    }

    var isReasoning: Bool {
        switch state {
        case .opened, .reasoning: true
        case .start, .answer: false
        }
    }

    mutating func append(_ byte: UInt8, to out: inout PieceBuffer, answer: (UInt8, inout PieceBuffer) -> Void) {
        if case .answer = state { return answer(byte, &out) }
        scanner.push(byte)
        while let lexeme = scanner.next() {
            switch lexeme {
            case .byte(let byte): take(byte, &out, answer)
            case .marker(let number): take(marker: number, &out, answer)
            }
            if case .answer = state {
                for byte in scanner.finish() { answer(byte, &out) }
                return
            }
        }
    }

    private mutating func take(_ byte: UInt8, _ out: inout PieceBuffer, _ answer: (UInt8, inout PieceBuffer) -> Void) {
        switch state {
        case .start:
            space.append(byte)
            if JSONText.isSpace(byte) { return }
            beginAnswer(&out, answer)
        case .opened, .reasoning:
            if !JSONText.isSpace(byte) { state = .reasoning }
            out.reasoning(byte)
        case .answer: answer(byte, &out)
        }
    }

    private mutating func take(
        marker: Int, _ out: inout PieceBuffer, _ answer: (UInt8, inout PieceBuffer) -> Void
    ) {
        switch (marker, state) {
        case (0, .start):
            space = []
            state = .opened
        case (0, .opened): break
        case (1, .opened), (1, .reasoning): state = .answer
        case (2, .opened), (2, .reasoning):
            state = .answer
            for byte in scanner.markers[2] { answer(byte, &out) }
        case (_, .reasoning), (_, .opened): for byte in scanner.markers[marker] { out.reasoning(byte) }
        case (_, .start), (_, .answer):
            space += scanner.markers[marker]
            beginAnswer(&out, answer)
        }
    }

    private mutating func beginAnswer(_ out: inout PieceBuffer, _ answer: (UInt8, inout PieceBuffer) -> Void) {
        state = .answer
        for byte in space { answer(byte, &out) }
        space = []
    }

    mutating func finish(_ out: inout PieceBuffer, answer: (UInt8, inout PieceBuffer) -> Void) {
        let rest = space + scanner.finish()
        space = []
        for byte in rest { if isReasoning { out.reasoning(byte) } else { answer(byte, &out) } }
    }
}
