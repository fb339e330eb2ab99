/// The body of SGLang's `POST /generate`.
package struct GenerateRequest: Sendable, Equatable {
    /// One prompt with its own parameters.
    package struct Item: Sendable, Equatable {
        package var prompt: WirePrompt
        package var sampling: SamplingFields
        package var requestID: String?
        /// Nil: no log-probabilities.
        package var logprobs: Logprobs?
    }

    /// Which log-probabilities of an answer are wanted.
    package struct Logprobs: Sendable, Equatable {
        /// Most likely alternatives at each position.
        package var top = 0
        /// First token of the prompt; nil: none of the prompt.
        package var start: Int?
        /// Further tokens, at each position.
        package var tokenIDs: [Int32] = []

        package init(top: Int = 0, start: Int? = nil, tokenIDs: [Int32] = []) {
            self.top = top
            self.start = start
            self.tokenIDs = tokenIDs
        }
    }

    package var items: [Item]
    /// Answered with an array; also true where one prompt gets several answers.
    package var isBatch: Bool
    package var stream: Bool
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
        let logprobs = try Self.logprobs(fields, count: prompts.count)
        items = []
        var answers = 0
        for (index, prompt) in prompts.enumerated() {
            items.append(
                Item(prompt: prompt, sampling: samplings[index], requestID: ids?[index], logprobs: logprobs[index]))
            answers += samplings[index].count
        }
        guard answers <= CompletionRequest.answerLimit else {
            throw FieldError("text", .invalid("\(answers) answers; at most \(CompletionRequest.answerLimit)"))
        }
        isBatch = isList || answers > 1
        stream = try fields.bool("stream") ?? false
        returnText = try fields.bool("return_text_in_logprobs") ?? false
        priority = try fields.int("priority") ?? 0
        cacheSalt = try fields.string("cache_salt") ?? ""
        cacheReport = try fields.bool("cache_report") ?? false
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

    private static func logprobs(_ fields: JSONFields, count: Int) throws(FieldError) -> [Logprobs?] {
        let wanted = try each(fields, "return_logprob", count)
        let tops = try each(fields, "top_logprobs_num", count)
        let starts = try each(fields, "logprob_start_len", count)
        let ids = try each(fields, "token_ids_logprob", count, isList: true)
        var result: [Logprobs?] = []
        for index in 0..<count {
            let isWanted = try wanted[index].value?.bool(at: wanted[index].path) ?? false
            var logprobs = Logprobs()
            logprobs.top = try tops[index].value?.int(at: tops[index].path) ?? 0
            // SGLang's -1 means the output only.
            logprobs.start = try starts[index].value?.int(at: starts[index].path)
            if logprobs.start == -1 { logprobs.start = nil }
            logprobs.tokenIDs = try ids[index].value?.tokenIDs(at: ids[index].path) ?? []
            result.append(isWanted ? logprobs : nil)
        }
        return result
    }

    /// One value for all prompts, or an array with one for each.
    /// - Parameter isList: a value is itself an array.
    private static func each(
        _ fields: JSONFields, _ name: String, _ count: Int, isList: Bool = false
    ) throws(FieldError) -> [(value: JSONValue?, path: String)] {
        let path = fields.path(name)
        guard case .array(let elements)? = fields[name], !isList || Self.areLists(elements) else {
            return Array(repeating: (fields[name], path), count: count)
        }
        guard elements.count == count else {
            throw FieldError(path, .invalid("\(elements.count) entries for \(count) prompts"))
        }
        return elements.enumerated().map { ($1 == .null ? nil : $1, "\(path)[\($0)]") }
    }

    private static func areLists(_ elements: [JSONValue]) -> Bool {
        elements.contains { element in
            if case .array = element { true } else { element == .null }
        }
    }
}
