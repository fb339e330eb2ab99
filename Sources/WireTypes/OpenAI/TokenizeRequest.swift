/// The body of `/tokenize`: a `prompt`, several of them, or a conversation in `messages`.
package struct TokenizeRequest: Sendable, Equatable {
    package enum Input: Sendable, Equatable {
        case texts([String])
        case chat(ChatCompletionRequest)
    }

    package var model: String?
    package var input: Input
    /// Answered with lists.
    package var isList: Bool
    /// Nil: the tokenizer's own way.
    package var addSpecialTokens: Bool?
    /// vLLM's `return_token_strs`.
    package var returnsTexts: Bool

    package init(_ root: JSONValue) throws(FieldError) {
        let fields = try JSONFields(root: root)
        model = try fields.string("model")
        addSpecialTokens = try fields.bool("add_special_tokens")
        returnsTexts = try fields.bool("return_token_strs") ?? false
        isList = false
        if fields["messages"] != nil {
            input = .chat(try ChatCompletionRequest(root))
            return
        }
        switch fields["prompt"] {
        case nil: throw FieldError("prompt", .missing)
        case .array(let elements)?:
            isList = true
            var texts: [String] = []
            for (index, element) in elements.enumerated() { texts.append(try element.string(at: "prompt[\(index)]")) }
            guard !texts.isEmpty else { throw FieldError("prompt", .invalid("it is an empty array")) }
            input = .texts(texts)
        case let value?: input = .texts([try value.string(at: "prompt")])
        }
    }
}

/// The body of `/detokenize`: ids, or several lists of them.
package struct DetokenizeRequest: Sendable, Equatable {
    package var model: String?
    package var lists: [[Int32]]
    /// Answered with a list.
    package var isList: Bool
    package var skipSpecialTokens: Bool

    package init(_ root: JSONValue) throws(FieldError) {
        let fields = try JSONFields(root: root)
        model = try fields.string("model")
        skipSpecialTokens = try fields.bool("skip_special_tokens") ?? false
        guard let value = fields["tokens"] else { throw FieldError("tokens", .missing) }
        let elements = try value.array(at: "tokens")
        guard case .array? = elements.first else {
            isList = false
            lists = [try value.tokenIDs(at: "tokens")]
            return
        }
        isList = true
        lists = []
        for (index, element) in elements.enumerated() { lists.append(try element.tokenIDs(at: "tokens[\(index)]")) }
    }
}
