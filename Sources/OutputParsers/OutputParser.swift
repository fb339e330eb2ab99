/// Sorts a model's output into answer, reasoning and calls while it arrives.
///
/// The text is read byte by byte, so that what comes out, put together, is the same however it was split. Nothing is
/// lost: what looks like a call and is none is content, and arguments that are no JSON are passed on as they are.
/// Space that only lays the text out is dropped: around reasoning, and before and behind calls.
package struct OutputParser: Sendable {
    /// What is to be done with an answer.
    package struct Options: Sendable, Equatable {
        /// Nil leaves reasoning in the content.
        package var reasoning: ReasoningParser?
        /// Nil leaves calls in the content.
        package var toolCalls: ToolCallParser?
        /// Names of the functions that may be called.
        package var functions: Set<String>
        /// Of each function the parameters that are strings, where its format does not show that.
        package var texts: [String: Set<String>]
        /// Tells reasoning as it comes; otherwise in one piece, when it has ended.
        package var streamsReasoning: Bool

        package init(
            reasoning: ReasoningParser? = nil, toolCalls: ToolCallParser? = nil, functions: Set<String> = [],
            texts: [String: Set<String>] = [:], streamsReasoning: Bool = true
        ) {
            self.reasoning = reasoning
            self.toolCalls = toolCalls
            self.functions = functions
            self.texts = texts
            self.streamsReasoning = streamsReasoning
        }

        package var isNeeded: Bool { reasoning != nil || toolCalls != nil }

        /// Texts of special tokens that the parser must see.
        package var marks: [String] {
            var marks = toolCalls?.marks ?? []
            if reasoning == .gptOSS {
                marks += HarmonySyntax.markers
            } else if let reasoning {
                marks += [reasoning.marks.open, reasoning.marks.close]
            }
            return marks
        }
    }

    private let streamsReasoning: Bool
    private var splitter: ReasoningSplitter?
    private var harmony: HarmonySyntax?
    private var syntax: (any ToolCallSyntax)?
    private var out = PieceBuffer()
    /// Reasoning that is told when it has ended.
    private var unsaid = ""

    /// - Parameter prompt: the end of it, to know whether it has opened the reasoning.
    package init(_ options: Options, prompt: String) {
        streamsReasoning = options.streamsReasoning
        if options.reasoning == .gptOSS || options.toolCalls == .gptOSS {
            harmony = HarmonySyntax(
                separatesReasoning: options.reasoning == .gptOSS, parsesCalls: options.toolCalls == .gptOSS)
            return
        }
        if let reasoning = options.reasoning {
            let (open, close) = reasoning.marks
            splitter = ReasoningSplitter(
                open: open, close: close, call: options.toolCalls?.opening,
                beginsInReasoning: reasoning.beginsInReasoning(afterPrompt: prompt))
        }
        syntax = options.toolCalls?.syntax(functions: options.functions, texts: options.texts)
    }

    /// Whether the next text is, as far as can be said, reasoning.
    package var isReasoning: Bool { splitter?.isReasoning ?? harmony?.isReasoning ?? false }

    package mutating func append(_ text: String) -> [OutputPiece] {
        for byte in text.utf8 { take(byte) }
        return told(isLast: false)
    }

    /// The text ended.
    package mutating func finish() -> [OutputPiece] {
        if splitter != nil {
            let target = syntax
            var answer = AnswerTarget(syntax: target)
            splitter?.finish(&out) { answer.take($0, &$1) }
            syntax = answer.syntax
        }
        harmony?.finish(&out)
        syntax?.finish(&out)
        out.finish()
        return told(isLast: true)
    }

    private mutating func take(_ byte: UInt8) {
        if splitter != nil {
            var answer = AnswerTarget(syntax: syntax)
            syntax = nil
            splitter?.append(byte, to: &out) { answer.take($0, &$1) }
            syntax = answer.syntax
        } else if harmony != nil {
            harmony?.append(byte, to: &out)
        } else if syntax != nil {
            syntax?.append(byte, to: &out)
        } else {
            out.content(byte)
        }
    }

    /// Where bytes of the answer go: to the calls' syntax, or straight out.
    private struct AnswerTarget {
        var syntax: (any ToolCallSyntax)?

        mutating func take(_ byte: UInt8, _ out: inout PieceBuffer) {
            if syntax != nil { syntax?.append(byte, to: &out) } else { out.content(byte) }
        }
    }

    private mutating func told(isLast: Bool) -> [OutputPiece] {
        let pieces = out.take()
        if streamsReasoning { return pieces }
        var result: [OutputPiece] = []
        for piece in pieces {
            if case .reasoning(let text) = piece {
                unsaid += text
            } else {
                sayReasoning(&result)
                result.append(piece)
            }
        }
        if isLast { sayReasoning(&result) }
        return result
    }

    private mutating func sayReasoning(_ result: inout [OutputPiece]) {
        guard !unsaid.isEmpty else { return }
        result.append(.reasoning(unsaid))
        unsaid = ""
    }
}
