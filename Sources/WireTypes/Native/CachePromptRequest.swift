/// The body of `/cache/probe` and `/cache/pin`, and a line of a `--prewarm` file: a prompt in any of the forms that
/// the generating endpoints take.
package struct CachePromptRequest: Sendable, Equatable {
    package enum Prompt: Sendable, Equatable {
        case plain(WirePrompt)
        case chat(ChatCompletionRequest)
    }

    package var prompt: Prompt
    package var cacheSalt: String
    /// Of a pin; nil: made up.
    package var id: String?
    /// Seconds; nil: until unpinned.
    package var timeToLive: Double?
    /// Leading tokens of the prompt to keep; nil: all.
    package var tokens: Int?
    /// Of a prewarmed prompt: also keep it.
    package var pin: Bool

    /// - Parameter opensAnswer: whether a conversation ends with the opening of the answer if it does not say. A prompt
    ///   to generate from does; the beginning that several prompts share does not.
    /// - Throws: `FieldError` with the path of the first field that is missing or wrong.
    package init(_ root: JSONValue, opensAnswer: Bool) throws(FieldError) {
        let fields: JSONFields
        if case .string(let text) = root {
            fields = try JSONFields(root: .object(JSONObject([("text", .string(text))])))
        } else {
            fields = try JSONFields(root: root)
        }
        cacheSalt = try fields.string("cache_salt") ?? ""
        id = try fields.string("id")
        if let id, id.isEmpty || id.utf8.count > 256 {
            throw FieldError("id", .invalid("expected 1 to 256 bytes"))
        }
        timeToLive = try fields.number("ttl")
        if let seconds = timeToLive, !(seconds > 0) {
            throw FieldError("ttl", .invalid("\(seconds); expected a number of seconds above 0"))
        }
        tokens = try fields.int("tokens")
        if let tokens, tokens < 1 { throw FieldError("tokens", .invalid("\(tokens); expected an integer ≥ 1")) }
        pin = try fields.bool("pin") ?? true
        var given: [String] = []
        for name in ["messages", "text", "prompt", "input_ids"] where fields[name] != nil { given.append(name) }
        guard let name = given.first else {
            throw FieldError("prompt", .invalid("give one of 'messages', 'text', 'prompt' and 'input_ids'"))
        }
        guard given.count == 1 else {
            throw FieldError(given[1], .invalid("'\(name)' is given as well; one of them is enough"))
        }
        switch fields[name] {
        case _ where name == "messages":
            var members = fields.object
            if fields["add_generation_prompt"] == nil, fields["continue_final_message"] == nil {
                members.set("add_generation_prompt", .bool(opensAnswer))
            }
            prompt = .chat(try ChatCompletionRequest(.object(members)))
        case .string(let text)?: prompt = .plain(.text(text))
        case let value?: prompt = .plain(.tokens(try value.tokenIDs(at: name)))
        case nil: throw FieldError(name, .missing)
        }
    }
}
