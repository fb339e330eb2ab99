import OutputParsers
import Testing

@Suite struct ReasoningParserTests {
    private static func told(
        _ text: String, _ parser: ReasoningParser, prompt: String = "", _ calls: ToolCallParser? = nil
    ) -> Told {
        OutputParser.told([text], .init(reasoning: parser, toolCalls: calls, functions: ["add"]), prompt: prompt)
    }

    @Test func reasoningIsSplitFromTheAnswer() {
        #expect(Self.told("<think>\nHm.\n</think>\n\nFour.\n", .qwen3) == Told(content: "Four.\n", reasoning: "Hm."))
        #expect(Self.told("◁think▷Hm.◁/think▷Four.", .kimi) == Told(content: "Four.", reasoning: "Hm."))
        #expect(Self.told("[THINK]Hm.[/THINK]Four.", .mistral) == Told(content: "Four.", reasoning: "Hm."))
        #expect(
            Self.told(
                "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Four.", .gptOSS)
                == Told(content: "Four.", reasoning: "Hm."))
    }

    @Test func anAnswerWithoutReasoningIsAllAnswer() {
        #expect(Self.told("\n Four.", .qwen3) == Told(content: "\n Four."))
        #expect(Self.told("What <think> is", .qwen3) == Told(content: "What <think> is"))
        #expect(Self.told("  ", .qwen3) == Told(content: "  "))
        #expect(Self.told("<thi", .qwen3) == Told(content: "<thi"))
    }

    @Test func reasoningThatIsCutOffIsStillReasoning() {
        #expect(Self.told("<think>Hm, one < two </th", .qwen3) == Told(reasoning: "Hm, one < two </th"))
    }

    /// DeepSeek R1's template opens the reasoning, so the model does not.
    @Test func theFirstMarkMayBeInThePrompt() {
        #expect(
            Self.told("Hm.</think>Four.", .deepSeekR1, prompt: "<｜Assistant｜>")
                == Told(content: "Four.", reasoning: "Hm."))
        #expect(
            Self.told("Hm.</think>Four.", .qwen3, prompt: "<|im_start|>assistant\n<think>\n")
                == Told(content: "Four.", reasoning: "Hm."))
        #expect(
            Self.told("<think>Hm.</think>Four.", .qwen3, prompt: "assistant\n<think>\n")
                == Told(content: "Four.", reasoning: "Hm."))
    }

    /// With `enable_thinking: false` the template opens and closes it.
    @Test func reasoningThatThePromptHasClosedDoesNotBegin() {
        #expect(
            Self.told("Four.", .deepSeekR1, prompt: "assistant\n<think>\n\n</think>\n\n") == Told(content: "Four."))
    }

    @Test func callsFollowReasoning() {
        let call = "<tool_call>{\"name\": \"add\", \"arguments\": {}}</tool_call>"
        let expected = Told(reasoning: "Hm.", [("add", "{}")])
        #expect(Self.told("<think>Hm.</think>\n\(call)", .qwen3, .hermes) == expected)
        // Some models forget to end the reasoning.
        #expect(Self.told("<think>Hm.\n\(call)", .qwen3, .hermes) == expected)
        #expect(
            Self.told(
                """
                <|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary to=functions.add \
                <|constrain|>json<|message|>{}
                """, .gptOSS, .gptOSS) == expected)
    }

    @Test func reasoningMayBeToldInOnePiece() {
        var parser = OutputParser(.init(reasoning: .qwen3, streamsReasoning: false), prompt: "")
        #expect(parser.append("<think>one ").isEmpty)
        #expect(parser.append("two</think>") == [])
        #expect(parser.append("three") == [.reasoning("one two"), .content("three")])
        var cut = OutputParser(.init(reasoning: .qwen3, streamsReasoning: false), prompt: "")
        #expect(cut.append("<think>one ").isEmpty)
        #expect(cut.finish() == [.reasoning("one")])
    }
}
