package import WireTypes

/// The dialects a server under test may speak; names are SGLang's, `radish` and `llama.cpp` are added.
package enum ServingBackend: String, Sendable, CaseIterable {
    case radish, sglang
    case sglangNative = "sglang-native"
    case sglangOAI = "sglang-oai"
    case sglangOAIChat = "sglang-oai-chat"
    case vllm
    case vllmChat = "vllm-chat"
    case openai
    case llamaCpp = "llama.cpp"

    /// What the requests look like.
    package enum Dialect: Sendable {
        case generate, completions, chat, llamaCompletion
    }

    package var dialect: Dialect {
        switch self {
        case .radish, .sglang, .sglangNative: .generate
        case .sglangOAI, .vllm: .completions
        case .sglangOAIChat, .vllmChat, .openai: .chat
        case .llamaCpp: .llamaCompletion
        }
    }

    package var path: String {
        switch dialect {
        case .generate: "/generate"
        case .completions: "/v1/completions"
        case .chat: "/v1/chat/completions"
        case .llamaCompletion: "/completion"
        }
    }

    package var defaultPort: Int {
        switch self {
        case .vllm, .vllmChat: 8000
        case .llamaCpp: 8080
        default: 30000
        }
    }

    /// Whether it answers SGLang's `/server_info`.
    package var hasServerInfo: Bool {
        switch self {
        case .radish, .sglang, .sglangNative, .sglangOAI, .sglangOAIChat: true
        case .vllm, .vllmChat, .openai, .llamaCpp: false
        }
    }

    /// Where a cache is emptied; nil: it cannot be.
    package var flushPath: String? {
        switch self {
        case .vllm, .vllmChat: "/reset_prefix_cache"
        case .openai, .llamaCpp: nil
        default: "/flush_cache"
        }
    }
}

/// What all requests of a run have in common.
package struct RequestShape: Sendable {
    package var backend: ServingBackend
    package var model: String
    package var stream = true
    package var ignoreEOS = true
    package var temperature = 0.0
    package var topP = 1.0
    package var returnLogprob = false
    /// Asks SGLang's OpenAI routes for cached tokens by tier.
    package var cacheReport = false
    /// `--extra-request-body`; wins over everything else.
    package var extraBody = JSONObject()

    package init(backend: ServingBackend, model: String) {
        self.backend = backend
        self.model = model
    }

    /// The JSON of one request.
    ///
    /// - Parameter prompt: never `.rounds`; `Conversation` makes one request of each.
    package func body(prompt: WorkItem.Prompt, outputTokens: Int, extraBody more: JSONObject) -> [UInt8] {
        var object = JSONObject()
        switch backend.dialect {
        case .generate:
            switch prompt {
            case .tokens(let ids): object.set("input_ids", .array(ids.map { .int(Int($0)) }))
            case .text(let text): object.set("text", .string(text))
            case .messages, .rounds: object.set("text", .string(Self.plainText(prompt)))
            }
            var sampling = JSONObject([
                ("temperature", .number(temperature)), ("max_new_tokens", .int(outputTokens)),
                ("ignore_eos", .bool(ignoreEOS)),
            ])
            if topP < 1 { sampling.set("top_p", .number(topP)) }
            object.set("sampling_params", .object(sampling))
            if returnLogprob { object.set("return_logprob", .bool(true)) }
        case .completions:
            object.set("model", .string(model))
            object.set("prompt", Self.wirePrompt(prompt))
            object.set("max_tokens", .int(outputTokens))
            openAISampling(&object)
            if returnLogprob { object.set("logprobs", .int(1)) }
        case .chat:
            object.set("model", .string(model))
            if case .messages(let messages) = prompt {
                object.set("messages", .array(messages))
            } else {
                let message = JSONObject([
                    ("role", .string("user")), ("content", .string(Self.plainText(prompt))),
                ])
                object.set("messages", .array([.object(message)]))
            }
            object.set("max_completion_tokens", .int(outputTokens))
            openAISampling(&object)
            if returnLogprob { object.set("logprobs", .bool(true)) }
        case .llamaCompletion:
            object.set("prompt", Self.wirePrompt(prompt))
            object.set("n_predict", .int(outputTokens))
            object.set("temperature", .number(temperature))
            object.set("ignore_eos", .bool(ignoreEOS))
            object.set("cache_prompt", .bool(true))
        }
        object.set("stream", .bool(stream))
        for member in extraBody.members { object.set(member.name, member.value) }
        for member in more.members { object.set(member.name, member.value) }
        var writer = JSONWriter()
        writer.value(.object(object))
        return writer.bytes
    }

    private func openAISampling(_ object: inout JSONObject) {
        object.set("temperature", .number(temperature))
        if topP < 1 { object.set("top_p", .number(topP)) }
        // Not OpenAI's own; its servers refuse what they do not know.
        if backend != .openai { object.set("ignore_eos", .bool(ignoreEOS)) }
        // The server's count of tokens is the only right one: a chunk may hold several.
        if stream { object.set("stream_options", .object(JSONObject([("include_usage", .bool(true))]))) }
        if cacheReport, backend.hasServerInfo { object.set("return_cached_tokens_details", .bool(true)) }
    }

    private static func wirePrompt(_ prompt: WorkItem.Prompt) -> JSONValue {
        if case .tokens(let ids) = prompt { return .array(ids.map { .int(Int($0)) }) }
        return .string(plainText(prompt))
    }

    static func plainText(_ prompt: WorkItem.Prompt) -> String {
        switch prompt {
        case .text(let text): return text
        case .tokens(let ids): return ids.map(String.init).joined(separator: " ")
        case .rounds(let rounds): return rounds.joined(separator: "\n\n")
        case .messages(let messages):
            return messages.map { message in
                guard case .object(let object) = message else { return "" }
                let role = if case .string(let role)? = object["role"] { role } else { "user" }
                let content = if case .string(let text)? = object["content"] { text } else { "" }
                return "\(role): \(content)"
            }.joined(separator: "\n")
        }
    }
}
