import OutputParsers
import Testing

@Suite struct ToolCallParserTests {
    private static let functions: Set<String> = ["get_weather", "add"]

    private static func told(_ text: String, _ parser: ToolCallParser) -> Told {
        OutputParser.told(
            [text],
            OutputParser.Options(toolCalls: parser, functions: functions, texts: ["get_weather": ["city", "note"]]))
    }

    @Test("Calls in each model's own format", arguments: ToolCallSamples.calls)
    func calls(_ sample: ToolCallSamples.Sample) {
        var told = Self.told(sample.text, sample.parser)
        for index in told.calls.indices { told.calls[index].id = nil }
        #expect(told == sample.told, "\(sample.parser.rawValue): \(told)")
    }

    @Test("What looks like a call and is none is content, to the last byte", arguments: ToolCallSamples.noCalls)
    func noCalls(_ sample: ToolCallSamples.Sample) {
        #expect(Self.told(sample.text, sample.parser) == Told(content: sample.text))
    }

    /// The call was told when its name was known; a reader sees the model's mistake in the arguments.
    @Test("Arguments that are no JSON are passed on as they are", arguments: ToolCallSamples.broken)
    func broken(_ sample: ToolCallSamples.Sample) {
        let told = Self.told(sample.text, sample.parser)
        #expect(told == sample.told, "\(sample.parser.rawValue): \(told)")
    }

    @Test func kimiNamesItsCalls() {
        let text = """
            <|tool_calls_section_begin|><|tool_call_begin|>functions.add:3<|tool_call_argument_begin|>{"a":1}\
            <|tool_call_end|><|tool_calls_section_end|>
            """
        #expect(
            Self.told(text, .kimiK2).calls == [Told.Call(name: "add", id: "functions.add:3", arguments: "{\"a\":1}")])
    }

    @Test func aNameIsToldBeforeTheArgumentsArrive() {
        var parser = OutputParser(.init(toolCalls: .hermes, functions: Self.functions), prompt: "")
        #expect(parser.append("<tool_call>{\"name\": \"add\"") == [.call(index: 0, name: "add", id: nil)])
        #expect(parser.append(", \"arguments\": {\"a\": ") == [.arguments(index: 0, "{\"a\": ")])
        #expect(parser.append("12") == [.arguments(index: 0, "12")])
    }

    @Test func textInTagsIsToldAsItArrives() {
        var parser = OutputParser(
            .init(toolCalls: .qwen3Coder, functions: Self.functions, texts: ["get_weather": ["city"]]), prompt: "")
        #expect(
            parser.append("<tool_call>\n<function=get_weather>\n<parameter=city>\n")
                == [.call(index: 0, name: "get_weather", id: nil), .arguments(index: 0, "{\"city\": \"")])
        #expect(parser.append("Ro") == [.arguments(index: 0, "Ro")])
        #expect(parser.append("me\n") == [.arguments(index: 0, "me")])
        #expect(parser.append("x</parameter>") == [.arguments(index: 0, "\\nx\"")])
        #expect(parser.append("\n</function>\n</tool_call>") == [.arguments(index: 0, "}")])
    }

    @Test(arguments: [
        ("<tool_call>\n<function=example_function_name>\n<parameter=example>", ToolCallParser.qwen3Coder),
        ("<tool_call>{function-name}\n<arg_key>{arg-key-1}</arg_key>\n<arg_value>{arg-value-1}</arg_value>", .glm45),
        ("<tool_call>{function-name}<arg_key>{arg-key-1}</arg_key><arg_value>{arg-value-1}</arg_value>", .glm47),
        ("<tool_call>\n{\"name\": ", .hermes),
    ])
    func aTemplateShowsItsFormat(template: String, parser: ToolCallParser) {
        #expect(ToolCallParser(template: template) == parser)
    }

    @Test func namesOfBothPeersAreUnderstood() {
        #expect(ToolCallParser(name: "qwen25") == .qwen25)
        #expect(ToolCallParser(name: "llama3_json") == .llama3)
        #expect(ToolCallParser(name: "deepseek_v3") == .deepSeekV3)
        #expect(ToolCallParser(name: "openai") == .gptOSS)
        #expect(ToolCallParser(name: "qwen3_xml") == .qwen3Coder)
        #expect(ToolCallParser(name: "glm45") == .glm45)
        #expect(ToolCallParser(name: "no_such") == nil)
        #expect(ReasoningParser(name: "deepseek_r1") == .deepSeekR1)
        #expect(ReasoningParser(name: "qwen3") == .qwen3)
    }
}

/// Outputs as the models write them.
enum ToolCallSamples {
    struct Sample: Sendable, CustomTestStringConvertible {
        var parser: ToolCallParser
        var text: String
        var told: Told
        var testDescription: String { "\(parser.rawValue): \(text.prefix(60))" }

        init(_ parser: ToolCallParser, _ text: String, content: String = "", _ calls: [(String, String)] = []) {
            self.parser = parser
            self.text = text
            told = Told(content: content, calls)
        }
    }

    static let calls: [Sample] = [
        Sample(
            .hermes,
            "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Köln </tool_call>\"}}\n</tool_call>",
            [("get_weather", "{\"city\": \"Köln </tool_call>\"}")]),
        Sample(
            .qwen25,
            """
            Let me see.

            <tool_call>
            {"arguments": {"a": 1, "b": [2, {"c": null}]}, "name": "add"}
            </tool_call>
            <tool_call>
            {"name": "get_weather", "arguments": {}}
            </tool_call>
            """,
            content: "Let me see.", [("add", "{\"a\": 1, \"b\": [2, {\"c\": null}]}"), ("get_weather", "{}")]),
        Sample(
            .hermes, "<tool_call>{\"name\": \"add\"}</tool_call>Done.", content: "Done.", [("add", "{}")]),
        Sample(
            .hermes, "<tool_call>{\"name\": \"a\\u0064d\", \"arguments\": \"{\\\"a\\\": 1}\"}</tool_call>",
            [("add", "{\"a\": 1}")]),
        // The end mark is missing.
        Sample(
            .hermes,
            "<tool_call>{\"name\": \"add\", \"arguments\": {}}<tool_call>{\"name\": \"add\", \"arguments\": {}}",
            [("add", "{}"), ("add", "{}")]),
        Sample(
            .llama3, "{\"name\": \"get_weather\", \"parameters\": {\"city\": \"Rome\"}}",
            [("get_weather", "{\"city\": \"Rome\"}")]),
        Sample(
            .llama3,
            "<|python_tag|>{\"type\": \"function\", \"name\": \"add\", \"parameters\": {\"a\": 1}}; {\"name\": \"add\"}",
            [("add", "{\"a\": 1}"), ("add", "{}")]),
        Sample(
            .mistral,
            "[TOOL_CALLS] [{\"name\": \"add\", \"arguments\": {\"a\": 1}}, {\"name\": \"add\", \"arguments\": {}}]",
            [("add", "{\"a\": 1}"), ("add", "{}")]),
        Sample(
            .mistral, "Sure.[TOOL_CALLS]add[ARGS]{\"a\": 1}[TOOL_CALLS]get_weather{\"city\": \"x[ARGS]\"}",
            content: "Sure.", [("add", "{\"a\": 1}"), ("get_weather", "{\"city\": \"x[ARGS]\"}")]),
        Sample(
            .mistral, "[TOOL_CALLS]add[CALL_ID]abcdefghi[ARGS]{}", [("add", "{}")]),
        Sample(
            .deepSeekV3,
            """
            I will ask.<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather
            ```json
            {"city": "Rome"}
            ```<｜tool▁call▁end｜>
            <｜tool▁call▁begin｜>function<｜tool▁sep｜>add
            ```json
            {}
            ```<｜tool▁call▁end｜><｜tool▁calls▁end｜>
            """,
            content: "I will ask.", [("get_weather", "{\"city\": \"Rome\"}"), ("add", "{}")]),
        Sample(
            .deepSeekV31,
            """
            <｜tool▁calls▁begin｜><｜tool▁call▁begin｜>add<｜tool▁sep｜>{"a": 1}<｜tool▁call▁end｜>\
            <｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{"city": "Rome"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>
            """,
            [("add", "{\"a\": 1}"), ("get_weather", "{\"city\": \"Rome\"}")]),
        Sample(
            .kimiK2,
            """
            <|tool_calls_section_begin|><|tool_call_begin|>functions.add:0<|tool_call_argument_begin|>{"a": 1}\
            <|tool_call_end|><|tool_calls_section_end|>
            """,
            [("add", "{\"a\": 1}")]),
        Sample(
            .pythonic, "[get_weather(city='Ro\"me', days=3, exact=True), add(a=[1, -2.5,], b={'c': (None,)})]",
            [
                ("get_weather", "{\"city\": \"Ro\\\"me\", \"days\": 3, \"exact\": true}"),
                ("add", "{\"a\": [1, -2.5], \"b\": {\"c\": [null]}}"),
            ]),
        Sample(.pythonic, "[add()]", [("add", "{}")]),
        Sample(
            .gptOSS,
            """
            <|channel|>analysis<|message|>Need a tool.<|end|><|start|>assistant<|channel|>commentary \
            to=functions.get_weather <|constrain|>json<|message|>{"city": "Rome"}<|call|>
            """,
            content: "Need a tool.", [("get_weather", "{\"city\": \"Rome\"}")]),
        Sample(
            .gptOSS,
            """
            <|channel|>commentary<|message|>I will add.<|end|><|start|>assistant to=functions.add<|channel|>commentary \
            json<|message|>{"a": 1}
            """,
            content: "I will add.", [("add", "{\"a\": 1}")]),
        Sample(.gptOSS, "<|channel|>final<|message|>Four.", content: "Four."),
        Sample(
            .gptOSS, " to=functions.add<|channel|>commentary <|constrain|>json<|message|>{\"a\": 1}<|call|>",
            [("add", "{\"a\": 1}")]),
        Sample(
            .qwen3Coder,
            """
            I will look.
            <tool_call>
            <function=get_weather>
            <parameter=city>
            Bad "Ems"
            a. d. Lahn

            </parameter>
            <parameter=days>
            3
            </parameter>
            <parameter=note>
            12
            </parameter>
            <parameter=options>
            {"exact": [true, null]}
            </parameter>
            <parameter=place>
            [here
            </parameter>
            </function>
            </tool_call>
            <tool_call>
            <function=add>
            </function>
            </tool_call>
            """,
            content: "I will look.",
            [
                (
                    "get_weather",
                    #"{"city": "Bad \"Ems\"\na. d. Lahn\n", "days": 3, "note": "12", "#
                        + #""options": {"exact": [true, null]}, "place": "[here"}"#
                ), ("add", "{}"),
            ]),
        // The outer tag is missing, and words are Python's.
        Sample(
            .qwen3Coder,
            "<function=add><parameter=a>True</parameter><parameter=b>None</parameter></function></tool_call>",
            [("add", #"{"a": true, "b": null}"#)]),
        // Ends are missing.
        Sample(
            .qwen3Coder, "<tool_call><function=add><parameter=a>1</parameter></tool_call>\n<tool_call><function=add>",
            [("add", #"{"a": 1}"#), ("add", "{")]),
        Sample(
            .qwen3Coder, "<tool_call><function=add><parameter=a></function></parameter></function></tool_call>ok",
            content: "ok", [("add", #"{"a": "</function>"}"#)]),
        Sample(
            .glm45,
            """
            Looking.
            <tool_call>get_weather
            <arg_key>city</arg_key>
            <arg_value>Rome
            </arg_value>
            <arg_key>days</arg_key>
            <arg_value>[1, 02]</arg_value>
            <arg_key>note</arg_key>
            <arg_value>null</arg_value>
            </tool_call>
            <tool_call>add
            </tool_call>
            """,
            content: "Looking.",
            [("get_weather", #"{"city": "Rome\n", "days": "[1, 02]", "note": "null"}"#), ("add", "{}")]),
        Sample(
            .glm47,
            "<tool_call>add<arg_key>a</arg_key><arg_value>-1.5e3</arg_value><arg_key>b</arg_key>"
                + "<arg_value>\"\\u00e4\"</arg_value></tool_call><tool_call>add</tool_call>",
            [("add", #"{"a": -1.5e3, "b": "\u00e4"}"#), ("add", "{}")]),
    ]

    static let noCalls: [Sample] = [
        Sample(.hermes, "Four. "), Sample(.hermes, "a < b <tool_cal"), Sample(.hermes, "<tool_call>oops</tool_call>"),
        Sample(.hermes, "<tool_call>{\"title\": \"add\", \"arguments\": {}}</tool_call>"),
        Sample(.hermes, "<tool_call>{\"na"),
        Sample(.llama3, "{\"name\": \"Bob\", \"age\": 3}"), Sample(.llama3, " {\"a\": [1, 2]} is JSON."),
        Sample(.llama3, "<|python_tag|>print(1)"), Sample(.llama3, "Use {\"name\": \"add\"}."),
        Sample(.mistral, "[TOOL_CALLS]?"), Sample(.mistral, "[TOOL_CALLS] [1, 2]"), Sample(.mistral, "[TOOL_CA"),
        Sample(.mistral, "[ARGS] and [TOOL_CALLS]add sub"), Sample(.mistral, "[TOOL_CALLS] [{\"x\": 1}]"),
        Sample(.deepSeekV3, "<｜tool▁call▁begin｜>function<｜tool▁sep｜>add"), Sample(.deepSeekV3, "–｜tool"),
        Sample(.kimiK2, "<|tool_call_begin|>functions.add:0"),
        Sample(.pythonic, "[1] A footnote."), Sample(.pythonic, "[add is a word]"),
        Sample(.pythonic, "[subtract(a=1)]"),
        Sample(.pythonic, "Call [add(a=1)]"), Sample(.gptOSS, "Four."), Sample(.gptOSS, " to=functions"),
        Sample(.qwen3Coder, "<tool_call>oops</tool_call>"), Sample(.qwen3Coder, "<function=other>x"),
        Sample(.qwen3Coder, "a <parameter=x> b </function>"), Sample(.qwen3Coder, "<tool_call>\n<function=ad"),
        Sample(.glm45, "<tool_call>oops</tool_call>"), Sample(.glm45, "<tool_call>add\n"),
        Sample(.glm45, "<arg_key>a</arg_key>"), Sample(.glm47, "<tool_call>{\"name\": \"add\"}</tool_call>"),
    ]

    static let broken: [Sample] = [
        Sample(
            .hermes, "<tool_call>{\"name\": \"add\", \"arguments\": {\"a\": 1}</tool_call> and",
            content: "and", [("add", "{\"a\": 1}")]),
        Sample(
            .hermes, "<tool_call>{\"name\": \"add\", \"arguments\": {a: 1}}</tool_call>", [("add", "{a: 1}}")]),
        Sample(.llama3, "{\"name\": \"add\", \"parameters\": {\"a\": oops}}", [("add", "{\"a\": oops}}")]),
        Sample(.mistral, "[TOOL_CALLS]add{\"a\": x}[TOOL_CALLS]add{}", [("add", "{\"a\": x}"), ("add", "{}")]),
        Sample(
            .deepSeekV31,
            "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>add<｜tool▁sep｜>{1}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
            [("add", "{1}")]),
        Sample(.pythonic, "[add(a=b c)]", [("add", "{\"a\": b c)]")]),
        Sample(
            .gptOSS, "<|channel|>commentary to=functions.add<|message|>a = 1<|call|>", [("add", "a = 1")]),
        Sample(
            .qwen3Coder, "<tool_call><function=add>{\"a\": 1}</function></tool_call>",
            [("add", "{{\"a\": 1}</function>")]),
        Sample(
            .glm45, "<tool_call>add<arg_key>a</arg_key> 1</tool_call>",
            [("add", "{<arg_key>a</arg_key>1")]),
        // Cut off by the token limit.
        Sample(
            .qwen3Coder, "<tool_call><function=get_weather><parameter=city>Ro</par",
            [("get_weather", "{\"city\": \"Ro</par")]),
        Sample(.hermes, "<tool_call>{\"name\": \"add\", \"arguments\": {\"a\": \"xy", [("add", "{\"a\": \"xy")]),
    ]
}
