/// Writes the chunks of a streamed chat answer. What all of them share is rendered once; a token costs one copy of it
/// and its own text.
package struct ChatChunks: Sendable {
    private let opening: [UInt8]
    private let closing: [UInt8]
    private let includeUsage: Bool

    /// - Parameters:
    ///   - created: seconds since 1970, the same in all chunks.
    ///   - includeUsage: the client asked for the counts, so every chunk has a `usage`, null but in the last.
    package init(id: String, created: Int, model: String, includeUsage: Bool) {
        (opening, closing) = Self.frame(
            object: "chat.completion.chunk", id: id, created: created, model: model)
        self.includeUsage = includeUsage
    }

    /// What stands before and after the choices: the opening ends behind `"choices":[`.
    static func frame(object: String, id: String, created: Int, model: String) -> (opening: [UInt8], closing: [UInt8]) {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("id", id)
            writer.field("object", object)
            writer.field("created", created)
            writer.field("model", model)
            writer.arrayField("choices") { _ in }
        }
        return (ServerSentEvent.opening + writer.bytes.dropLast(2), Array("}\n\n".utf8))
    }

    /// The first chunk of a choice: who speaks.
    package func role(index: Int, usage: Usage?, to bytes: inout [UInt8]) {
        chunk(usage, to: &bytes) { writer in
            Self.choice(index, finish: nil, to: &writer) { writer in
                writer.field("role", "assistant")
                writer.field("content", "")
                writer.nullField("reasoning_content")
            }
        }
    }

    /// Text that became certain, with the tokens since the last chunk where log-probabilities were asked for.
    package func delta(
        index: Int, text: String, reasoning: String = "", calls: [WireToolCall] = [], logprobs: [TokenLogprobs]?,
        usage: Usage?, to bytes: inout [UInt8]
    ) {
        chunk(usage, to: &bytes) { writer in
            Self.choice(index, logprobs: logprobs, finish: nil, to: &writer) { writer in
                if text.isEmpty, !calls.isEmpty || !reasoning.isEmpty {
                    writer.nullField("content")
                } else {
                    writer.field("content", text)
                }
                WireToolCall.writeReasoning(reasoning, to: &writer)
                if !calls.isEmpty {
                    writer.arrayField("tool_calls") { writer in
                        for call in calls { call.write(isDelta: true, to: &writer) }
                    }
                }
            }
        }
    }

    /// The last chunk of a choice.
    package func finish(index: Int, _ finish: FinishedBy, usage: Usage?, to bytes: inout [UInt8]) {
        chunk(usage, to: &bytes) { writer in
            Self.choice(index, finish: finish, to: &writer) { writer in
                writer.nullField("content")
                writer.nullField("reasoning_content")
            }
        }
    }

    /// The chunk after all choices: no choice, only the counts.
    package func total(_ usage: Usage, to bytes: inout [UInt8]) {
        chunk(usage, to: &bytes) { _ in }
    }

    /// A chunk without choices, with what the prefix cache did.
    /// - Parameter report: JSON.
    package func cacheReport(_ report: [UInt8], to bytes: inout [UInt8]) {
        chunk(with: "cache_report", report, to: &bytes)
    }

    /// A chunk without choices, with where the cached tokens were found.
    package func cachedDetails(_ details: CachedTokensDetails, to bytes: inout [UInt8]) {
        chunk(with: "sglext", details.extensionJSON, to: &bytes)
    }

    private func chunk(with member: String, _ json: [UInt8], to bytes: inout [UInt8]) {
        bytes += opening + Array("],\"\(member)\":".utf8) + json
        ChatChunks.appendUsage(nil, ifNil: includeUsage, to: &bytes)
        bytes += closing
    }

    private func chunk(_ usage: Usage?, to bytes: inout [UInt8], choices: (inout JSONWriter) -> Void) {
        bytes += opening
        var writer = JSONWriter()
        choices(&writer)
        bytes += writer.bytes
        bytes.append(UInt8(ascii: "]"))
        ChatChunks.appendUsage(usage, ifNil: includeUsage, to: &bytes)
        bytes += closing
    }

    static func appendUsage(_ usage: Usage?, ifNil writesNull: Bool, to bytes: inout [UInt8]) {
        if let usage {
            var writer = JSONWriter()
            usage.write(to: &writer)
            bytes += Array(",\"usage\":".utf8) + writer.bytes
        } else if writesNull {
            bytes += Array(",\"usage\":null".utf8)
        }
    }

    private static func choice(
        _ index: Int, logprobs: [TokenLogprobs]? = nil, finish: FinishedBy?, to writer: inout JSONWriter,
        delta: (inout JSONWriter) -> Void
    ) {
        writer.object { writer in
            writer.field("index", index)
            writer.objectField("delta", delta)
            writer.name("logprobs")
            if let logprobs { ChatLogprobs.write(logprobs, to: &writer) } else { writer.null() }
            writer.field("finish_reason", finish?.name)
            if let finish {
                writer.name("matched_stop")
                finish.writeMatched(to: &writer)
            }
        }
    }
}
