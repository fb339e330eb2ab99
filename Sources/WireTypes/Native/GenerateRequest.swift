/// The body of SGLang's `POST /generate`.
package struct GenerateRequest: Sendable, Equatable {
    /// One prompt with its own parameters.
    package struct Item: Sendable, Equatable {
        package var prompt: WirePrompt
        package var sampling: SamplingFields
        package var requestID: String?
    }

    package var items: [Item]
    /// Answered with an array; also true where one prompt gets several answers.
    package var isBatch: Bool
    package var stream: Bool
    package var returnLogprob: Bool
    package var topLogprobs: Int
    /// First token of the prompt whose log-probability is wanted; nil: none.
    package var logprobStart: Int?
    /// Further tokens whose log-probability is wanted at each position.
    package var logprobTokenIDs: [Int32]
    /// Continues a session; nil: none.
    package var session: SessionReference?
    /// Puts the token's text beside its id in log-probabilities.
    package var returnText: Bool
    package var priority: Int
    package var cacheSalt: String
    /// Wants to know what the prefix cache did, and why not more.
    package var cacheReport: Bool

    /// - Throws: `FieldError` with the path of the first field that is missing, wrong or not implemented.
    package init(_ root: JSONValue) throws(FieldError) {
        let fields = try JSONFields(root: root)
        let (prompts, isList) = try Self.prompts(fields)
        let samplings = try Self.samplings(fields, count: prompts.count)
        let ids = try Self.requestIDs(fields, count: prompts.count)
        items = []
        var answers = 0
        for (index, prompt) in prompts.enumerated() {
            items.append(Item(prompt: prompt, sampling: samplings[index], requestID: ids?[index]))
            answers += samplings[index].count
        }
        guard answers <= CompletionRequest.answerLimit else {
            throw FieldError("text", .invalid("\(answers) answers; at most \(CompletionRequest.answerLimit)"))
        }
        isBatch = isList || answers > 1
        stream = try fields.bool("stream") ?? false
        returnLogprob = try Self.flag(fields, "return_logprob")
        topLogprobs = try Self.number(fields, "top_logprobs_num") ?? 0
        returnText = try fields.bool("return_text_in_logprobs") ?? false
        priority = try fields.int("priority") ?? 0
        cacheSalt = try fields.string("cache_salt") ?? ""
        cacheReport = try fields.bool("cache_report") ?? false
        // SGLang's -1 means the output only.
        logprobStart = try Self.number(fields, "logprob_start_len").flatMap { $0 == -1 ? nil : $0 }
        if !returnLogprob { logprobStart = nil }
        logprobTokenIDs = try Self.tokenIDs(fields, "token_ids_logprob")
        session = try fields.fields("session_params").map(SessionReference.init)
        guard session == nil || (items.count == 1 && answers == 1) else {
            throw FieldError("session_params", .invalid("a session continues with one prompt and one answer"))
        }
        try fields.refuse([
            "input_embeds", "image_data", "video_data", "audio_data", "lora_path",
            "custom_logit_processor", "return_hidden_states",
        ])
    }

    private static func prompts(_ fields: JSONFields) throws(FieldError) -> (prompts: [WirePrompt], isList: Bool) {
        switch (fields["text"], fields["input_ids"]) {
        case (nil, nil): throw FieldError("text", .missing)
        case (.some, .some): throw FieldError("input_ids", .invalid("'text' is given as well; one of them is enough"))
        case (.string(let text)?, nil): return ([.text(text)], false)
        case (.array(let elements)?, nil):
            guard !elements.isEmpty else { throw FieldError("text", .invalid("it is an empty array")) }
            var prompts: [WirePrompt] = []
            for (index, element) in elements.enumerated() {
                prompts.append(.text(try element.string(at: "text[\(index)]")))
            }
            return (prompts, true)
        case (let value?, nil):
            throw FieldError("text", .wrongType(expected: "a string or an array of strings", found: value.typeName))
        case (nil, let value?):
            let elements = try value.array(at: "input_ids")
            guard case .array? = elements.first else { return ([.tokens(try value.tokenIDs(at: "input_ids"))], false) }
            var prompts: [WirePrompt] = []
            for (index, element) in elements.enumerated() {
                prompts.append(.tokens(try element.tokenIDs(at: "input_ids[\(index)]")))
            }
            return (prompts, true)
        }
    }

    /// One object for all prompts, or one for each.
    private static func samplings(_ fields: JSONFields, count: Int) throws(FieldError) -> [SamplingFields] {
        let path = "sampling_params"
        switch fields[path] {
        case nil:
            var sampling = SamplingFields()
            sampling.maxTokens = 128
            sampling.maxTokensPath = path + ".max_new_tokens"
            return Array(repeating: sampling, count: count)
        case .array(let elements)?:
            guard elements.count == count else {
                throw FieldError(path, .invalid("\(elements.count) entries for \(count) prompts"))
            }
            var samplings: [SamplingFields] = []
            for (index, element) in elements.enumerated() {
                samplings.append(try SamplingFields(native: JSONFields(element, path: "\(path)[\(index)]")))
            }
            return samplings
        case let value?:
            return Array(repeating: try SamplingFields(native: JSONFields(value, path: path)), count: count)
        }
    }

    private static func requestIDs(_ fields: JSONFields, count: Int) throws(FieldError) -> [String]? {
        guard case .array(let elements)? = fields["rid"] else {
            guard let id = try RequestOptions.requestID(fields) else { return nil }
            return count == 1 ? [id] : (0..<count).map { "\(id)-\($0)" }
        }
        guard elements.count == count else {
            throw FieldError("rid", .invalid("\(elements.count) entries for \(count) prompts"))
        }
        var ids: [String] = []
        for (index, element) in elements.enumerated() { ids.append(try element.string(at: "rid[\(index)]")) }
        return ids
    }

    /// SGLang allows one value for all prompts or one for each; we take one, also as a list of equal ones.
    private static func shared(_ fields: JSONFields, _ name: String) throws(FieldError) -> JSONValue? {
        guard case .array(let elements)? = fields[name] else { return fields[name] }
        guard let first = elements.first else { return nil }
        guard elements.allSatisfy({ $0 == first }) else {
            throw FieldError(name, .unsupported("Give one value for all prompts, or send the prompts one by one."))
        }
        return first == .null ? nil : first
    }

    /// A list of ids, or the same list for each prompt.
    private static func tokenIDs(_ fields: JSONFields, _ name: String) throws(FieldError) -> [Int32] {
        guard case .array(let elements)? = fields[name], case .array? = elements.first else {
            return try fields.tokenIDs(name) ?? []
        }
        return try shared(fields, name)?.tokenIDs(at: name) ?? []
    }

    private static func flag(_ fields: JSONFields, _ name: String) throws(FieldError) -> Bool {
        try shared(fields, name)?.bool(at: name) ?? false
    }

    private static func number(_ fields: JSONFields, _ name: String) throws(FieldError) -> Int? {
        try shared(fields, name)?.int(at: name)
    }
}
