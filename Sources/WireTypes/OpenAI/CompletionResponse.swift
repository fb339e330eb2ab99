/// The whole answer of `POST /v1/completions`.
package struct CompletionResponse: Sendable {
    package struct Choice: Sendable {
        package var text: String
        /// Nil where not asked for.
        package var logprobs: [TokenLogprobs]?
        package var finish: FinishedBy
        /// vLLM's `prompt_logprobs`; nil where not asked for.
        package var prompt: [TokenLogprobs]?

        package init(
            text: String, logprobs: [TokenLogprobs]?, finish: FinishedBy, prompt: [TokenLogprobs]? = nil
        ) {
            self.text = text
            self.logprobs = logprobs
            self.finish = finish
            self.prompt = prompt
        }
    }

    package var id: String
    /// Seconds since 1970.
    package var created: Int
    package var model: String
    /// Choices of the first prompt, then those of the second, …
    package var choices: [Choice]
    package var usage: Usage
    /// Where the cached tokens were found; nil where not asked for.
    package var cachedDetails: CachedTokensDetails?
    /// What the prefix cache did, as JSON; nil where not asked for.
    package var cacheReport: [UInt8]?

    package init(id: String, created: Int, model: String, choices: [Choice], usage: Usage) {
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
            writer.field("object", "text_completion")
            writer.field("created", created)
            writer.field("model", model)
            writer.arrayField("choices") { writer in
                for (index, choice) in choices.enumerated() {
                    CompletionChunks.choice(
                        index, text: choice.text, logprobs: choice.logprobs, offset: 0, finish: choice.finish,
                        prompt: choice.prompt, to: &writer)
                }
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
        }
        return writer.bytes
    }
}

/// Writes the chunks of a streamed text completion. Every chunk but the one with the counts has a choice with a
/// `text`: benchmark clients index it without asking.
package struct CompletionChunks: Sendable {
    private let opening: [UInt8]
    private let closing: [UInt8]
    private let includeUsage: Bool

    /// As for `ChatChunks`.
    package init(id: String, created: Int, model: String, includeUsage: Bool) {
        (opening, closing) = ChatChunks.frame(object: "text_completion", id: id, created: created, model: model)
        self.includeUsage = includeUsage
    }

    /// Text that became certain.
    /// - Parameter offset: characters of the choice's text before this chunk; used only with log-probabilities.
    package func delta(
        index: Int, text: String, logprobs: [TokenLogprobs]?, offset: Int, usage: Usage?, to bytes: inout [UInt8]
    ) {
        chunk(usage, to: &bytes) {
            Self.choice(index, text: text, logprobs: logprobs, offset: offset, finish: nil, to: &$0)
        }
    }

    /// The last chunk of a choice.
    package func finish(index: Int, _ finish: FinishedBy, usage: Usage?, to bytes: inout [UInt8]) {
        chunk(usage, to: &bytes) {
            Self.choice(index, text: "", logprobs: nil, offset: 0, finish: finish, to: &$0)
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

    fileprivate static func choice(
        _ index: Int, text: String, logprobs: [TokenLogprobs]?, offset: Int, finish: FinishedBy?,
        prompt: [TokenLogprobs]? = nil, to writer: inout JSONWriter
    ) {
        writer.object { writer in
            writer.field("index", index)
            writer.field("text", text)
            writer.name("logprobs")
            if let logprobs {
                CompletionLogprobs.write(logprobs, offset: offset, to: &writer)
            } else {
                writer.null()
            }
            writer.field("finish_reason", finish?.name)
            if let prompt {
                writer.name("prompt_logprobs")
                PromptLogprobList.write(prompt, to: &writer)
            }
            if let finish {
                writer.name("matched_stop")
                finish.writeMatched(to: &writer)
            }
        }
    }
}
