/// The whole answer of `POST /v1/chat/completions`.
package struct ChatCompletionResponse: Sendable {
    package struct Choice: Sendable {
        package var content: String
        package var reasoning = ""
        package var calls: [WireToolCall] = []
        /// Nil where not asked for.
        package var logprobs: [TokenLogprobs]?
        package var finish: FinishedBy

        package init(
            content: String, reasoning: String = "", calls: [WireToolCall] = [], logprobs: [TokenLogprobs]?,
            finish: FinishedBy
        ) {
            self.content = content
            self.reasoning = reasoning
            self.calls = calls
            self.logprobs = logprobs
            self.finish = finish
        }
    }

    package var id: String
    /// Seconds since 1970.
    package var created: Int
    package var model: String
    package var choices: [Choice]
    package var usage: Usage
    /// vLLM's `prompt_logprobs`; nil where not asked for.
    package var prompt: [TokenLogprobs]?
    /// Where the cached tokens were found; nil where not asked for.
    package var cachedDetails: CachedTokensDetails?
    /// What the prefix cache did, as JSON; nil where not asked for.
    package var cacheReport: [UInt8]?

    package init(
        id: String, created: Int, model: String, choices: [Choice], usage: Usage,
        prompt: [TokenLogprobs]? = nil
    ) {
        self.prompt = prompt
        self.id = id
        self.created = created
        self.model = model
        self.choices = choices
        self.usage = usage
    }

    package var json: [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("id", id)
            writer.field("object", "chat.completion")
            writer.field("created", created)
            writer.field("model", model)
            writer.arrayField("choices") { writer in
                for (index, choice) in choices.enumerated() { Self.write(choice, index, to: &writer) }
            }
            writer.name("usage")
            usage.write(to: &writer)
            if let cachedDetails {
                writer.name("sglext")
                writer.raw(cachedDetails.extensionJSON)
            }
            if let cacheReport {
                writer.name("cache_report")
                writer.raw(cacheReport)
            }
            if let prompt {
                writer.name("prompt_logprobs")
                PromptLogprobList.write(prompt, to: &writer)
            }
        }
        return writer.bytes
    }

    private static func write(_ choice: Choice, _ index: Int, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("index", index)
            writer.objectField("message") { writer in
                writer.field("role", "assistant")
                if choice.content.isEmpty, !choice.calls.isEmpty || !choice.reasoning.isEmpty {
                    writer.nullField("content")
                } else {
                    writer.field("content", choice.content)
                }
                writer.nullField("refusal")
                WireToolCall.writeReasoning(choice.reasoning, to: &writer)
                if !choice.calls.isEmpty {
                    writer.arrayField("tool_calls") { writer in
                        for call in choice.calls { call.write(isDelta: false, to: &writer) }
                    }
                }
            }
            writer.name("logprobs")
            if let logprobs = choice.logprobs { ChatLogprobs.write(logprobs, to: &writer) } else { writer.null() }
            writer.field("finish_reason", choice.finish.name)
            writer.name("matched_stop")
            choice.finish.writeMatched(to: &writer)
        }
    }
}
