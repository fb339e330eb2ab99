/// A prompt as text or as token ids.
package enum WirePrompt: Sendable, Equatable {
    case text(String)
    case tokens([Int32])
}

/// The body of `POST /v1/completions` (OpenAI API reference), with the fields that SGLang and vLLM add.
package struct CompletionRequest: Sendable, Equatable {
    package var options: RequestOptions
    /// One or more; each gets `sampling.count` answers.
    package var prompts: [WirePrompt]
    package var sampling: SamplingFields
    /// Nil: no log-probabilities; otherwise this many alternatives for each token.
    package var topLogprobs: Int?
    /// Puts the prompt before the answer.
    package var echo: Bool
    /// vLLM: the tokenizer's own special tokens come before a text.
    package var addsSpecialTokens: Bool
    /// Answers generated for each prompt, of which the `sampling.count` most likely are returned.
    package var bestOf: Int

    /// Answers to one request, over all its prompts.
    package static let answerLimit = 1024

    /// What OpenAI generates where a request does not say.
    private static let defaultMaxTokens = 16

    /// - Throws: `FieldError` with the path of the first field that is missing, wrong or not implemented.
    package init(_ root: JSONValue) throws(FieldError) {
        let fields = try JSONFields(root: root)
        options = try RequestOptions(fields)
        guard let prompt = fields["prompt"] else { throw FieldError("prompt", .missing) }
        prompts = try WirePrompt.list(prompt, path: "prompt")
        sampling = try SamplingFields(openAI: fields)
        sampling.maxTokens = sampling.maxTokens ?? Self.defaultMaxTokens
        bestOf = try Self.bestOf(fields, sampling, stream: options.stream)
        guard prompts.count * bestOf <= Self.answerLimit else {
            throw FieldError(
                "prompt",
                .invalid("\(prompts.count) prompts with n = \(bestOf); at most \(Self.answerLimit) answers"))
        }
        topLogprobs = try fields.int("logprobs")
        echo = try fields.bool("echo") ?? false
        addsSpecialTokens = try fields.bool("add_special_tokens") ?? true
        try fields.refuse(["suffix"], advice: "This model cannot fill in between two texts.")
        try fields.refuse(["prompt_embeds", "return_hidden_states"])
    }

    private static func bestOf(
        _ fields: JSONFields, _ sampling: SamplingFields, stream: Bool
    ) throws(FieldError) -> Int {
        guard let bestOf = try fields.int("best_of") else { return sampling.count }
        guard bestOf >= sampling.count, bestOf <= 128 else {
            throw FieldError(
                "best_of", .invalid("found \(bestOf), expected an integer between n = \(sampling.count) and 128"))
        }
        guard !stream || bestOf == sampling.count else {
            throw FieldError(
                "best_of", .invalid("which answer is best is known at the end only; it excludes 'stream'"))
        }
        return bestOf
    }
}

extension WirePrompt {
    /// A string, a list of token ids, or a list of either.
    static func list(_ value: JSONValue, path: String) throws(FieldError) -> [WirePrompt] {
        switch value {
        case .string(let text): return [.text(text)]
        case .array(let elements):
            switch elements.first {
            case .int, .number: return [.tokens(try value.tokenIDs(at: path))]
            case .string, .array:
                var prompts: [WirePrompt] = []
                for (index, element) in elements.enumerated() {
                    prompts.append(try one(element, path: "\(path)[\(index)]"))
                }
                return prompts
            case nil: throw FieldError(path, .invalid("it is an empty array"))
            case let other?:
                throw FieldError(
                    "\(path)[0]",
                    .wrongType(expected: "a string, a token id or an array of token ids", found: other.typeName))
            }
        default:
            throw FieldError(
                path, .wrongType(expected: "a string, token ids or an array of either", found: value.typeName))
        }
    }

    private static func one(_ value: JSONValue, path: String) throws(FieldError) -> WirePrompt {
        switch value {
        case .string(let text): return .text(text)
        case .array: return .tokens(try value.tokenIDs(at: path))
        default:
            throw FieldError(path, .wrongType(expected: "a string or an array of token ids", found: value.typeName))
        }
    }
}
