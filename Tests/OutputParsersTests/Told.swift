import OutputParsers

/// What a reader has at the end, whatever the pieces were.
struct Told: Equatable, CustomStringConvertible {
    struct Call: Equatable {
        var name: String
        var id: String?
        var arguments = ""
    }

    var content = ""
    var reasoning = ""
    var calls: [Call] = []
    /// Sentences about pieces that break the order in which they may come.
    var faults: [String] = []

    init(_ pieces: [OutputPiece]) {
        for piece in pieces {
            switch piece {
            case .content(let text):
                content += text
                if text.isEmpty { faults.append("empty content") }
            case .reasoning(let text):
                reasoning += text
                if text.isEmpty { faults.append("empty reasoning") }
            case .call(let index, let name, let id):
                if index != calls.count { faults.append("call \(index) after \(calls.count)") }
                calls.append(Call(name: name, id: id))
            case .arguments(let index, let text):
                guard index == calls.count - 1 else {
                    faults.append("arguments of \(index) with \(calls.count) calls")
                    continue
                }
                calls[index].arguments += text
            }
        }
    }

    init(content: String = "", reasoning: String = "", _ calls: [(String, String)] = []) {
        self.content = content
        self.reasoning = reasoning
        self.calls = calls.map { Call(name: $0.0, arguments: $0.1) }
    }

    var description: String {
        let calls = calls.map { "\($0.name)(\($0.arguments))\($0.id.map { "#" + $0 } ?? "")" }
        return "content \(content.debugDescription) reasoning \(reasoning.debugDescription) calls \(calls) \(faults)"
    }
}

extension OutputParser {
    /// Feeds `pieces` one by one.
    static func told(_ pieces: [String], _ options: Options, prompt: String = "") -> Told {
        var parser = OutputParser(options, prompt: prompt)
        var told = pieces.flatMap { parser.append($0) }
        told += parser.finish()
        return Told(told)
    }
}
