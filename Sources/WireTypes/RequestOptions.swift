/// Fields of the OpenAI endpoints that are not about the text: how to answer, and what SGLang and vLLM add for
/// operators.
package struct RequestOptions: Sendable, Equatable {
    /// Nil: the served model.
    package var model: String?
    package var stream = false
    /// One more chunk with the token counts at the end of the stream.
    package var includeUsage = false
    /// Token counts on every chunk (vLLM, SGLang).
    package var continuousUsage = false
    package var priority = 0
    /// Separates cached prefixes of tenants who must not share them.
    package var cacheSalt = ""
    /// Wants to know what the prefix cache did, and why not more.
    package var cacheReport = false
    /// SGLang: wants to know where the cached tokens were found.
    package var returnsCachedDetails = false
    /// SGLang's name for the request's id.
    package var requestID: String?
    /// vLLM: log-probabilities of the prompt's tokens, with this many alternatives. Nil: none.
    package var promptLogprobs: Int?
    /// vLLM: only the last tokens of the prompt are used; -1: as many as fit the context.
    package var truncatePromptTokens: Int?

    package init() {}

    package init(_ fields: JSONFields) throws(FieldError) {
        model = try fields.string("model")
        stream = try fields.bool("stream") ?? false
        if let options = try fields.fields("stream_options") {
            guard stream else {
                throw FieldError("stream_options", .invalid("it is only allowed when 'stream' is true"))
            }
            includeUsage = try options.bool("include_usage") ?? false
            continuousUsage = try options.bool("continuous_usage_stats") ?? false
        }
        priority = try fields.int("priority") ?? 0
        cacheSalt = try fields.string("cache_salt") ?? ""
        cacheReport = try fields.bool("cache_report") ?? false
        returnsCachedDetails = try fields.bool("return_cached_tokens_details") ?? false
        // OpenAI's hint for routing to a machine with a warm cache: here is one tree, which finds prefixes by itself.
        _ = try fields.string("prompt_cache_key")
        requestID = try Self.requestID(fields)
        promptLogprobs = try fields.int("prompt_logprobs")
        if let wanted = promptLogprobs {
            guard (0...20).contains(wanted) else {
                throw FieldError(
                    fields.path("prompt_logprobs"), .invalid("\(wanted); expected an integer between 0 and 20"))
            }
            guard !stream else {
                throw FieldError(fields.path("prompt_logprobs"), .invalid("it is not allowed when 'stream' is true"))
            }
        }
        truncatePromptTokens = try fields.int("truncate_prompt_tokens")
        if let kept = truncatePromptTokens, kept != -1, kept < 1 {
            throw FieldError(
                fields.path("truncate_prompt_tokens"), .invalid("\(kept); expected -1 or an integer ≥ 1"))
        }
    }

    static func requestID(_ fields: JSONFields) throws(FieldError) -> String? {
        guard let id = try fields.string("rid") else { return nil }
        guard !id.isEmpty, id.utf8.count <= 256 else {
            throw FieldError(fields.path("rid"), .invalid("expected 1 to 256 bytes"))
        }
        return id
    }
}
