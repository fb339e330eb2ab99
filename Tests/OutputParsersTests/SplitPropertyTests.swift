import OutputParsers
import TestSupport
import Testing

/// However a text is split, the pieces put together are the same. All parsers, on what models write, on broken forms of
/// it, and on noise made of the parsers' own marks.
@Suite struct SplitPropertyTests {
    private static let fragments = [
        "<tool_call>", "</tool_call>", "<think>", "</think>", "[TOOL_CALLS]", "[ARGS]", "<|python_tag|>", "<|channel|>",
        "<|message|>", "<|start|>", "<|end|>", "<|call|>", "analysis", "commentary to=functions.add ",
        "<｜tool▁calls▁begin｜>", "<｜tool▁call▁begin｜>", "<｜tool▁sep｜>", "<｜tool▁call▁end｜>", "<｜tool▁calls▁end｜>",
        "<|tool_calls_section_begin|>", "<|tool_call_begin|>", "<|tool_call_argument_begin|>", "◁think▷", "◁/think▷",
        "{\"name\": \"add\", \"arguments\": {\"a\": 1}}", "{\"name\": \"add\", ", "\"parameters\": ", "{}",
        "[add(a=1)]",
        "[add(", "a='x', ", "b={", "}", "]", ")", "\"", "'", "\\", "\n", " ", ", ", ":", "ü", "😀", "functions.add:0",
        "function", "```json\n", "<", "[", "true", "12", "<function=add>", "<function=", "</function>", "<parameter=a>",
        "<parameter=", "</parameter>", ">", "add", "<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>", "True",
        " to=functions.add",
    ]

    private static var options: [OutputParser.Options] {
        var all: [OutputParser.Options] = []
        for reasoning in [nil] + ReasoningParser.allCases.map(Optional.some) {
            for calls in [nil] + ToolCallParser.allCases.map(Optional.some) {
                all.append(
                    .init(
                        reasoning: reasoning, toolCalls: calls, functions: ["add", "get_weather"],
                        texts: ["add": ["a"], "get_weather": ["city"]]))
                all.append(
                    .init(reasoning: reasoning, toolCalls: calls, functions: ["add"], streamsReasoning: false))
            }
        }
        return all
    }

    private static func text(_ random: inout SeededGenerator) -> String {
        let samples = ToolCallSamples.calls + ToolCallSamples.noCalls + ToolCallSamples.broken
        switch Int.random(in: 0..<3, using: &random) {
        case 0: return samples.randomElement(using: &random)?.text ?? ""
        case 1:
            var scalars = Array((samples.randomElement(using: &random)?.text ?? "").unicodeScalars)
            for _ in 0..<Int.random(in: 1...4, using: &random) where !scalars.isEmpty {
                let place = Int.random(in: 0..<scalars.count, using: &random)
                if Bool.random(using: &random) {
                    scalars.remove(at: place)
                } else {
                    scalars.insert("{}[]\"<|>\\ a".unicodeScalars.randomElement(using: &random) ?? "x", at: place)
                }
            }
            return String(String.UnicodeScalarView(scalars))
        default:
            return (0..<Int.random(in: 1...24, using: &random)).map { _ in
                fragments.randomElement(using: &random) ?? ""
            }.joined()
        }
    }

    private static func split(_ text: String, _ random: inout SeededGenerator) -> [String] {
        var pieces: [String] = []
        var rest = Array(text.unicodeScalars)[...]
        let longest = [1, 3, 12].randomElement(using: &random) ?? 1
        while !rest.isEmpty {
            let count = min(rest.count, Int.random(in: 1...longest, using: &random))
            pieces.append(String(String.UnicodeScalarView(rest.prefix(count))))
            rest = rest.dropFirst(count)
        }
        return pieces
    }

    @Test func streamingEqualsTheWholeForEverySplit() {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        for options in Self.options {
            for _ in 0..<60 {
                let text = Self.text(&random)
                let prompt = Bool.random(using: &random) ? "" : "assistant\n<think>\n"
                let whole = OutputParser.told([text], options, prompt: prompt)
                let pieces = Self.split(text, &random)
                let streamed = OutputParser.told(pieces, options, prompt: prompt)
                #expect(whole.faults.isEmpty, "seed \(seed): \(options) \(text.debugDescription): \(whole)")
                #expect(streamed == whole, "seed \(seed): \(options) \(pieces)")
            }
        }
    }

    /// Every letter and digit of the text is told, in order, unless it belongs to a mark or a header.
    @Test func nothingIsLost() {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        for parser in ToolCallParser.allCases {
            for _ in 0..<200 {
                let word = "w\(UInt64.random(in: 0...UInt64.max, using: &random))w"
                let text = Self.text(&random) + " \(word) " + Self.text(&random)
                let told = OutputParser.told([text], .init(toolCalls: parser, functions: ["add", "get_weather"]))
                let all = told.content + told.calls.map { $0.name + $0.arguments + ($0.id ?? "") }.joined()
                // Members beside name and arguments are not a function's business; headers are not a reader's.
                if parser == .gptOSS { continue }
                #expect(
                    all.contains(word) || text.contains("\"name\""),
                    "seed \(seed): \(parser.rawValue) \(text.debugDescription): \(told)")
            }
        }
    }
}
