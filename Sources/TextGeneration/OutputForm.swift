package import OutputParsers

/// How an answer is sorted before it is told.
package struct OutputForm: Sendable, Equatable {
    /// Tells reasoning apart from the answer, if the model marks it.
    package var separatesReasoning = false
    /// Tells reasoning as it comes, instead of in one piece.
    package var streamsReasoning = true
    /// Functions that may be called; with none, calls are not looked for.
    package var functions: [String] = []
    /// Of each function the parameters that are strings: some formats do not show that.
    package var texts: [String: Set<String>] = [:]
    /// The constraint makes the model write calls.
    package var enforcesCalls = false
    /// The answer is a turn of a conversation, which the model may begin with reasoning.
    package var mayReason = false

    package init() {}

    /// How calls are written. Where they are enforced they can also be read.
    func callStyle(_ assets: ModelAssets) -> ToolCallParser? {
        assets.parsers.toolCalls ?? (enforcesCalls ? .hermes : nil)
    }

    /// What the parser has to do for a model of these assets.
    func options(_ assets: ModelAssets) -> OutputParser.Options {
        OutputParser.Options(
            reasoning: separatesReasoning ? assets.parsers.reasoning : nil,
            toolCalls: functions.isEmpty ? nil : callStyle(assets), functions: Set(functions),
            texts: texts, streamsReasoning: streamsReasoning)
    }
}

/// Which parsers read a model's answers.
package struct AnswerParsers: Sendable, Equatable {
    /// Nil: reasoning stays in the content.
    package var reasoning: ReasoningParser?
    /// Nil: calls stay in the content.
    package var toolCalls: ToolCallParser?

    package init(reasoning: ReasoningParser? = nil, toolCalls: ToolCallParser? = nil) {
        self.reasoning = reasoning
        self.toolCalls = toolCalls
    }

    /// As an operator chose them. Nil names and `auto` ask the chat template's source; a template that shows no tools
    /// gets our own description of them, whose format is Hermes'.
    package init(reasoning: String?, toolCalls: String?, template: String?) throws(UnknownParser) {
        switch reasoning ?? "auto" {
        case "auto": self.reasoning = template.flatMap { ReasoningParser(template: $0) }
        case "none", "": self.reasoning = nil
        case let name:
            guard let parser = ReasoningParser(name: name) else {
                throw UnknownParser(flag: "--reasoning-parser", name: name, known: ReasoningParser.names)
            }
            self.reasoning = parser
        }
        switch toolCalls ?? "auto" {
        case "auto":
            if let template, template.contains("tools") {
                self.toolCalls = ToolCallParser(template: template)
            } else {
                self.toolCalls = .hermes
            }
        case "none", "": self.toolCalls = nil
        case let name:
            guard let parser = ToolCallParser(name: name) else {
                throw UnknownParser(flag: "--tool-call-parser", name: name, known: ToolCallParser.names)
            }
            self.toolCalls = parser
        }
    }
}

/// A parser was asked for that does not exist.
package struct UnknownParser: Error, Equatable, Sendable {
    package var flag: String
    package var name: String
    package var known: [String]
}

/// A piece of a call that has become certain. The first of a call has its id and name.
package struct CallDelta: Sendable, Equatable {
    /// Of the call within the answer, from 0.
    package var index: Int
    package var id: String?
    package var name: String?
    /// More of the arguments' JSON.
    package var arguments: String

    package init(index: Int, id: String? = nil, name: String? = nil, arguments: String = "") {
        self.index = index
        self.id = id
        self.name = name
        self.arguments = arguments
    }

    /// Adds a later piece, to the last one if it continues it.
    package static func append(_ delta: CallDelta, to deltas: inout [CallDelta]) {
        if let last = deltas.indices.last, deltas[last].index == delta.index, delta.name == nil {
            deltas[last].arguments += delta.arguments
        } else {
            deltas.append(delta)
        }
    }
}
