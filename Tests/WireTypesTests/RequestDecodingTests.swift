import Testing
import WireTypes

struct RequestDecodingTests {
    private func json(_ text: String) throws -> JSONValue { try JSONParser.parse(Array(text.utf8)) }

    private func chatError(_ text: String) throws -> FieldError {
        let value = try json(text)
        return try #require(throws: FieldError.self) { try ChatCompletionRequest(value) }
    }

    @Test func readsAChatRequestWithEveryField() throws {
        let request = try ChatCompletionRequest(
            json(
                """
                {"model": "m", "messages": [{"role": "developer", "content": "be brief"},
                 {"role": "user", "name": "eve", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
                 {"role": "assistant", "content": null, "tool_calls": [{"id": "call_1", "type": "function",
                   "function": {"name": "f", "arguments": "{\\"z\\": 1, \\"a\\": 2}"}}]},
                 {"role": "tool", "tool_call_id": "call_1", "content": "3"}],
                 "temperature": 0.5, "top_p": 1, "top_k": 5, "min_p": 0.1, "n": 2, "stream": true,
                 "stream_options": {"include_usage": true}, "stop": ["x", "y"], "max_tokens": 9,
                 "max_completion_tokens": 7, "presence_penalty": 1, "frequency_penalty": -1,
                 "repetition_penalty": 1.1, "logit_bias": {"5": -100}, "seed": -3, "logprobs": true,
                 "top_logprobs": 2, "stop_token_ids": [4], "ignore_eos": true, "min_tokens": 1,
                 "skip_special_tokens": false, "include_stop_str_in_output": true, "priority": 3,
                 "cache_salt": "s", "rid": "r", "chat_template_kwargs": {"enable_thinking": false},
                 "user": "u", "metadata": {"k": "v"}, "store": true, "service_tier": "auto", "unknown": [1],
                 "tools": [], "tool_choice": "auto", "response_format": {"type": "text"},
                 "parallel_tool_calls": true, "reasoning_effort": "low"}
                """))
        #expect(request.options.model == "m")
        #expect(request.options.stream && request.options.includeUsage)
        #expect(request.options.priority == 3 && request.options.cacheSalt == "s" && request.options.requestID == "r")
        #expect(request.messages[0].object["role"] == .string("system"))
        #expect(request.messages[1].object.members.map(\.name) == ["role", "name", "content"])
        #expect(request.messages[1].object["content"] == .string("a\nb"))
        #expect(request.messages[2].object["content"] == .string(""))
        #expect(
            request.messages[2].object["tool_calls"]
                == .array([
                    .object(
                        JSONObject([
                            ("id", .string("call_1")), ("type", .string("function")),
                            (
                                "function",
                                .object(
                                    JSONObject([
                                        ("name", .string("f")),
                                        ("arguments", .object(JSONObject([("z", .int(1)), ("a", .int(2))]))),
                                    ]))
                            ),
                        ]))
                ]))
        let sampling = request.sampling
        #expect(sampling.temperature == 0.5 && sampling.topP == 1 && sampling.topK == 5 && sampling.minP == 0.1)
        #expect(sampling.count == 2 && sampling.stop == ["x", "y"] && sampling.maxTokens == 7)
        #expect(sampling.maxTokensPath == "max_completion_tokens")
        #expect(sampling.presencePenalty == 1 && sampling.frequencyPenalty == -1 && sampling.repetitionPenalty == 1.1)
        #expect(sampling.logitBias == [5: -100] && sampling.seed == UInt64(bitPattern: -3))
        #expect(sampling.stopTokenIDs == [4] && sampling.ignoreEOS && sampling.minTokens == 1)
        #expect(!sampling.skipSpecialTokens && sampling.includeStop)
        #expect(request.topLogprobs == 2)
        #expect(request.templateVariables.members.map(\.name) == ["enable_thinking", "reasoning_effort"])
        #expect(request.addGenerationPrompt && !request.continueFinalMessage)
    }

    private static let message = #""messages": [{"role": "user", "content": "x"}]"#

    @Test(arguments: [
        (#"[]"#, "", "invalid_value"), (#"{}"#, "messages", "missing_required_parameter"),
        (#"{"messages": null}"#, "messages", "missing_required_parameter"),
        (#"{"messages": []}"#, "messages", "invalid_value"), (#"{"messages": "x"}"#, "messages", "invalid_type"),
        (#"{"messages": ["x"]}"#, "messages[0]", "invalid_type"),
        (#"{"messages": [{"content": "x"}]}"#, "messages[0].role", "missing_required_parameter"),
        (#"{"messages": [{"role": "robot", "content": "x"}]}"#, "messages[0].role", "invalid_value"),
        (#"{"messages": [{"role": "user"}]}"#, "messages[0].content", "missing_required_parameter"),
        (#"{"messages": [{"role": "user", "content": 5}]}"#, "messages[0].content", "invalid_type"),
        (
            #"{"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": [{"text": "x"}]}]}"#,
            "messages[1].content[0].type", "missing_required_parameter"
        ),
        (
            #"{"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}"#,
            "messages[0].content[0].type", "unsupported_parameter"
        ),
        (#"{\#(message), "temperature": "hot"}"#, "temperature", "invalid_type"),
        (#"{\#(message), "n": 0}"#, "n", "invalid_value"), (#"{\#(message), "n": 1.5}"#, "n", "invalid_type"),
        (#"{\#(message), "stop": 5}"#, "stop", "invalid_type"),
        (#"{\#(message), "stop": ["a", 5]}"#, "stop[1]", "invalid_type"),
        (#"{\#(message), "stop": [\#(String(repeating: #""a","#, count: 16))"b"]}"#, "stop", "invalid_value"),
        (#"{\#(message), "logit_bias": {"x": 1}}"#, "logit_bias.x", "invalid_value"),
        (#"{\#(message), "logit_bias": {"7": "x"}}"#, "logit_bias.7", "invalid_type"),
        (#"{\#(message), "stream": "yes"}"#, "stream", "invalid_type"),
        (#"{\#(message), "stream_options": {"include_usage": true}}"#, "stream_options", "invalid_value"),
        (#"{\#(message), "top_logprobs": 3}"#, "top_logprobs", "invalid_value"),
        (#"{\#(message), "response_format": {"type": "xml"}}"#, "response_format.type", "invalid_value"),
        (
            #"{\#(message), "response_format": {"type": "json_schema", "json_schema": {"name": "x"}}}"#,
            "response_format.json_schema.schema", "missing_required_parameter"
        ),
        (#"{\#(message), "response_format": {}}"#, "response_format.type", "missing_required_parameter"),
        (
            #"{\#(message), "tools": [{"type": "function"}]}"#, "tools[0].function", "missing_required_parameter"
        ),
        (#"{\#(message), "tools": [{"type": "mcp"}]}"#, "tools[0].type", "unsupported_parameter"),
        (#"{\#(message), "tools": [{"function": {}}]}"#, "tools[0].function.name", "missing_required_parameter"),
        (
            #"{\#(message), "tools": [{"function": {"name": "f", "parameters": 3}}]}"#,
            "tools[0].function.parameters", "invalid_type"
        ),
        (#"{\#(message), "tool_choice": "required"}"#, "tool_choice", "invalid_value"),
        (#"{\#(message), "tool_choice": "sometimes"}"#, "tool_choice", "invalid_value"),
        (
            #"{\#(message), "tools": [{"function": {"name": "f"}}], "tool_choice": {"function": {"name": "g"}}}"#,
            "tool_choice.function.name", "invalid_value"
        ),
        (#"{\#(message), "regex": 5}"#, "regex", "invalid_type"),
        (#"{\#(message), "guided_json": "{"}"#, "guided_json", "invalid_value"),
        (#"{\#(message), "guided_choice": []}"#, "guided_choice", "invalid_value"),
        (#"{\#(message), "regex": "a", "ebnf": "root ::= \"a\""}"#, "ebnf", "invalid_value"),
        (
            #"{\#(message), "response_format": {"type": "json_object"}, "guided_regex": "a"}"#, "guided_regex",
            "invalid_value"
        ),
        (
            #"{\#(message), "regex": "a", "tools": [{"function": {"name": "f"}}], "tool_choice": "required"}"#, "regex",
            "invalid_value"
        ),
        (
            #"{\#(message), "constraint_options": {"whitespace": "much"}}"#, "constraint_options.whitespace",
            "invalid_value"
        ),
        (
            #"{\#(message), "continue_final_message": true, "add_generation_prompt": true}"#, "continue_final_message",
            "invalid_value"
        ),
        (#"{\#(message), "stop_token_ids": [-1]}"#, "stop_token_ids[0]", "invalid_value"),
        (#"{\#(message), "model": 5}"#, "model", "invalid_type"),
        (#"{\#(message), "rid": ""}"#, "rid", "invalid_value"),
    ])
    func refusesChatFieldsByPath(text: String, path: String, code: String) throws {
        let error = try chatError(text)
        #expect(error.path == path)
        #expect(error.code == code)
        #expect(error.message.contains(path))
    }

    @Test func toolsAreAllowedWhereNoneIsToBeCalled() throws {
        _ = try ChatCompletionRequest(
            json(#"{\#(Self.message), "tools": [{"function": {"name": "f"}}], "tool_choice": "none"}"#))
    }

    @Test(arguments: [
        (#""a""#, [WirePrompt.text("a")]), (#"["a", "b"]"#, [.text("a"), .text("b")]), ("[1, 2]", [.tokens([1, 2])]),
        ("[[1], [2, 3]]", [.tokens([1]), .tokens([2, 3])]), (#"["a", [7]]"#, [.text("a"), .tokens([7])]),
    ])
    func readsEveryFormOfPrompt(prompt: String, expected: [WirePrompt]) throws {
        #expect(try CompletionRequest(json(#"{"prompt": \#(prompt)}"#)).prompts == expected)
    }

    @Test(arguments: [
        ("{}", "prompt"), (#"{"prompt": []}"#, "prompt"), (#"{"prompt": [1, "a"]}"#, "prompt[1]"),
        (#"{"prompt": ["a", 1]}"#, "prompt[1]"), (#"{"prompt": [[1], [true]]}"#, "prompt[1][0]"),
        (#"{"prompt": {"a": 1}}"#, "prompt"), (#"{"prompt": [3000000000]}"#, "prompt[0]"),
        (#"{"prompt": "a", "suffix": "b"}"#, "suffix"), (#"{"prompt": "a", "best_of": 2, "n": 3}"#, "best_of"),
        (#"{"prompt": "a", "prompt_logprobs": 99}"#, "prompt_logprobs"), (#"{"prompt": [true]}"#, "prompt[0]"),
    ])
    func refusesCompletionFieldsByPath(text: String, path: String) throws {
        let value = try json(text)
        let error = try #require(throws: FieldError.self) { try CompletionRequest(value) }
        #expect(error.path == path)
    }

    @Test func completionsGenerateSixteenTokensByDefault() throws {
        #expect(try CompletionRequest(json(#"{"prompt": "a"}"#)).sampling.maxTokens == 16)
        #expect(try CompletionRequest(json(#"{"prompt": "a", "max_tokens": 5}"#)).sampling.maxTokens == 5)
        #expect(try CompletionRequest(json(#"{"prompt": "a", "best_of": 2, "n": 2}"#)).sampling.count == 2)
    }

    @Test func readsSGLangsNativeForms() throws {
        let single = try GenerateRequest(
            json(
                #"{"text": "a", "rid": "r", "stream": true, "return_logprob": true, "top_logprobs_num": 2, "logprob_start_len": -1, "sampling_params": {"max_new_tokens": 3, "temperature": 0, "stop": "x", "sampling_seed": 9, "no_stop_trim": true}}"#
            ))
        #expect(!single.isBatch && single.stream && single.items[0].logprobs == .init(top: 2))
        #expect(single.items[0].prompt == .text("a") && single.items[0].requestID == "r")
        #expect(single.items[0].sampling.maxTokens == 3 && single.items[0].sampling.seed == 9)
        #expect(single.items[0].sampling.stop == ["x"] && single.items[0].sampling.includeStop)

        let batch = try GenerateRequest(
            json(#"{"input_ids": [[1], [2]], "rid": ["p", "q"], "sampling_params": [{"max_new_tokens": 1}, {}]}"#))
        #expect(batch.isBatch && batch.items.map(\.requestID) == ["p", "q"])
        #expect(batch.items.map(\.sampling.maxTokens) == [1, 128])
        #expect(try GenerateRequest(json(#"{"input_ids": [1, 2]}"#)).items[0].prompt == .tokens([1, 2]))
        #expect(try !GenerateRequest(json(#"{"text": ["a"]}"#)).items.isEmpty)
        #expect(try GenerateRequest(json(#"{"text": ["a"]}"#)).isBatch)
        #expect(try GenerateRequest(json(#"{"text": "a", "sampling_params": {"n": 2}}"#)).isBatch)
    }

    @Test(arguments: [
        ("{}", "text"), (#"{"text": "a", "input_ids": [1]}"#, "input_ids"), (#"{"text": 5}"#, "text"),
        (#"{"text": ["a", 5]}"#, "text[1]"), (#"{"text": []}"#, "text"),
        (#"{"text": ["a"], "sampling_params": []}"#, "sampling_params"),
        (#"{"text": "a", "sampling_params": {"temperature": []}}"#, "sampling_params.temperature"),
        (#"{"text": ["a", "b"], "sampling_params": [{}, {"top_k": "x"}]}"#, "sampling_params[1].top_k"),
        (#"{"text": "a", "sampling_params": {"json_schema": 5}}"#, "sampling_params.json_schema"),
        (#"{"text": "a", "image_data": "x"}"#, "image_data"), (#"{"text": ["a"], "rid": ["x", "y"]}"#, "rid"),
        (#"{"text": "a", "session_params": {}}"#, "session_params.id"),
    ])
    func refusesNativeFieldsByPath(text: String, path: String) throws {
        let value = try json(text)
        let error = try #require(throws: FieldError.self) { try GenerateRequest(value) }
        #expect(error.path == path)
    }
}
