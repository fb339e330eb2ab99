import OutputParsers

extension AnswerParsers {
    /// Sorts a whole text as answers are sorted: wherever it came from.
    ///
    /// - Parameter functions: names that may be called; formats in which calls look like ordinary text need them.
    /// - Returns: what the text says, in order; as few parts as say it so.
    package func read(_ text: String, functions: [String] = []) -> [TextDelta] {
        let options = OutputParser.Options(
            reasoning: reasoning, toolCalls: toolCalls, functions: Set(functions), streamsReasoning: true)
        guard options.isNeeded else { return [TextDelta(text: text)] }
        var parser = OutputParser(options, prompt: "")
        var deltas: [TextDelta] = []
        for piece in parser.append(text) + parser.finish() {
            let next = TextDelta(piece)
            if deltas.isEmpty || !deltas[deltas.count - 1].append(next) { deltas.append(next) }
        }
        return deltas
    }
}

extension TextDelta {
    /// What one piece says. Calls without a name of their own get one where they are told.
    init(_ piece: OutputPiece) {
        self.init()
        switch piece {
        case .content(let text): self.text = text
        case .reasoning(let text): reasoning = text
        case .call(let index, let name, let id): calls = [CallDelta(index: index, id: id, name: name)]
        case .arguments(let index, let text): calls = [CallDelta(index: index, arguments: text)]
        }
    }
}
