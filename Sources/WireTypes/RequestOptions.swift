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
    /// SGLang's name for the request's id.
    package var requestID: String?

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
        requestID = try Self.requestID(fields)
    }

    static func requestID(_ fields: JSONFields) throws(FieldError) -> String? {
        guard let id = try fields.string("rid") else { return nil }
        guard !id.isEmpty, id.utf8.count <= 256 else {
            throw FieldError(fields.path("rid"), .invalid("expected 1 to 256 bytes"))
        }
        return id
    }
}
