/// The lines of Ollama's answers: one JSON object each, the last with `done` and the counts.
package struct OllamaAnswer: Sendable {
    /// Nanoseconds, as Ollama counts them.
    package struct Times: Sendable {
        package var total: Int
        package var prompt: Int
        package var generation: Int

        package init(total: Int, prompt: Int, generation: Int) {
            self.total = total
            self.prompt = prompt
            self.generation = generation
        }
    }

    private let model: String
    private let generates: Bool

    /// - Parameter generates: `/api/generate`, whose text is in `response`; otherwise `/api/chat`.
    package init(model: String, generates: Bool) {
        self.model = model
        self.generates = generates
    }

    /// A piece of the answer.
    package func piece(
        created: String, text: String, reasoning: String, calls: [WireToolCall], to bytes: inout [UInt8]
    ) {
        line(created, to: &bytes) { writer in
            content(text, reasoning, calls, to: &writer)
            writer.field("done", false)
        }
    }

    /// The last line; with `text` and all, the only one.
    package func end(
        created: String, text: String = "", reasoning: String = "", calls: [WireToolCall] = [], finish: FinishedBy,
        usage: Usage, times: Times, to bytes: inout [UInt8]
    ) {
        line(created, to: &bytes) { writer in
            content(text, reasoning, calls, to: &writer)
            writer.field("done", true)
            writer.field("done_reason", finish.name == "length" ? "length" : "stop")
            writer.field("total_duration", times.total)
            writer.field("load_duration", 0)
            writer.field("prompt_eval_count", usage.promptTokens)
            writer.field("prompt_eval_duration", times.prompt)
            writer.field("eval_count", usage.completionTokens)
            writer.field("eval_duration", times.generation)
        }
    }

    /// The answer to a request without a prompt: the model is loaded.
    package func loaded(created: String) -> [UInt8] {
        var bytes: [UInt8] = []
        line(created, to: &bytes) { writer in
            content("", "", [], to: &writer)
            writer.field("done", true)
            writer.field("done_reason", "load")
        }
        return bytes
    }

    private func line(_ created: String, to bytes: inout [UInt8], _ fields: (inout JSONWriter) -> Void) {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("model", model)
            writer.field("created_at", created)
            fields(&writer)
        }
        bytes += writer.bytes
        bytes.append(0x0A)
    }

    private func content(_ text: String, _ reasoning: String, _ calls: [WireToolCall], to writer: inout JSONWriter) {
        if generates {
            writer.field("response", text)
            if !reasoning.isEmpty { writer.field("thinking", reasoning) }
            return
        }
        writer.objectField("message") { writer in
            writer.field("role", "assistant")
            writer.field("content", text)
            if !reasoning.isEmpty { writer.field("thinking", reasoning) }
            guard !calls.isEmpty else { return }
            writer.arrayField("tool_calls") { writer in for call in calls { Self.write(call, to: &writer) } }
        }
    }

    private static func write(_ call: WireToolCall, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.objectField("function") { writer in
                writer.field("name", call.name ?? "")
                writer.name("arguments")
                if let parsed = try? JSONParser.parse(Array(call.arguments.utf8)), case .object = parsed {
                    writer.value(parsed)
                } else {
                    writer.object { if !call.arguments.isEmpty { $0.field("arguments", call.arguments) } }
                }
            }
        }
    }
}
