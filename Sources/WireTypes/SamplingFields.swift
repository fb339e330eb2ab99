/// How tokens are chosen and when a generation ends, as requests say it. Nil: not said, the server's default holds.
///
/// Only types are checked here. Ranges are the engine's business, so that every surface refuses the same values.
package struct SamplingFields: Sendable, Equatable {
    package var temperature: Double?
    package var topP: Double?
    package var topK: Int?
    package var minP: Double?
    package var frequencyPenalty: Double?
    package var presencePenalty: Double?
    package var repetitionPenalty: Double?
    package var logitBias: [Int32: Double] = [:]
    package var seed: UInt64?
    package var maxTokens: Int?
    package var minTokens: Int?
    package var stop: [String] = []
    /// SGLang's `stop_regex`: regular expressions that end the text behind their first match.
    package var stopPatterns: [String] = []
    package var stopTokenIDs: [Int32] = []
    package var ignoreEOS = false
    package var skipSpecialTokens = true
    /// Leaves the stop string or stop token in the text.
    package var includeStop = false
    /// Answers for one prompt.
    package var count = 1
    /// What the answers must look like; nil: anything.
    package var constraint: WireConstraint?
    /// How a constraint is followed, also one that tools make.
    package var constraintOptions = WireConstraintOptions()
    /// Where the client wrote `maxTokens`, for error messages.
    package var maxTokensPath = "max_tokens"

    package init() {}

    /// OpenAI allows four, SGLang any number.
    private static let stopLimit = 16

    /// The top-level fields of the OpenAI endpoints, with those that SGLang and vLLM add.
    package init(openAI fields: JSONFields) throws(FieldError) {
        try self.init(common: fields)
        // `max_completion_tokens` replaces `max_tokens` where both are sent.
        if let limit = try fields.int("max_completion_tokens") {
            maxTokens = limit
            maxTokensPath = fields.path("max_completion_tokens")
        } else {
            maxTokens = try fields.int("max_tokens")
            maxTokensPath = fields.path("max_tokens")
        }
        minTokens = try fields.int("min_tokens")
        seed = try Self.seed(fields, "seed")
        let include = try fields.bool("include_stop_str_in_output") ?? false
        let noTrim = try fields.bool("no_stop_trim") ?? false
        includeStop = include || noTrim
        constraint = try WireConstraint.openAI(fields)
        constraintOptions = try WireConstraintOptions(fields)
        try fields.refuse(
            [
                "custom_logit_processor", "use_beam_search", "beam_width", "lora_path", "session_params",
                "logits_processors", "vllm_xargs", "kv_transfer_params", "allowed_token_ids", "bad_words",
            ])
    }

    /// SGLang's `sampling_params` object.
    package init(native fields: JSONFields) throws(FieldError) {
        try self.init(common: fields)
        maxTokens = try fields.int("max_new_tokens") ?? 128
        maxTokensPath = fields.path("max_new_tokens")
        minTokens = try fields.int("min_new_tokens")
        seed = try Self.seed(fields, fields["sampling_seed"] == nil ? "seed" : "sampling_seed")
        includeStop = try fields.bool("no_stop_trim") ?? false
        constraint = try WireConstraint.native(fields)
        try fields.refuse(["custom_params", "beam_width"])
    }

    private init(common fields: JSONFields) throws(FieldError) {
        temperature = try fields.number("temperature")
        topP = try fields.number("top_p")
        topK = try fields.int("top_k")
        minP = try fields.number("min_p")
        frequencyPenalty = try fields.number("frequency_penalty")
        presencePenalty = try fields.number("presence_penalty")
        repetitionPenalty = try fields.number("repetition_penalty")
        logitBias = try Self.logitBias(fields)
        stop = try fields.strings("stop", atMost: Self.stopLimit)?.filter { !$0.isEmpty } ?? []
        stopPatterns = try fields.strings("stop_regex", atMost: Self.stopLimit)?.filter { !$0.isEmpty } ?? []
        stopTokenIDs = try fields.tokenIDs("stop_token_ids") ?? []
        ignoreEOS = try fields.bool("ignore_eos") ?? false
        skipSpecialTokens = try fields.bool("skip_special_tokens") ?? true
        count = try fields.int("n") ?? 1
        guard (1...Self.countLimit).contains(count) else {
            throw FieldError(
                fields.path("n"), .invalid("\(count); expected an integer between 1 and \(Self.countLimit)"))
        }
    }

    /// As in the OpenAI API.
    private static let countLimit = 128

    /// Negative seeds are legal in the OpenAI API; -1 means none to vLLM.
    private static func seed(_ fields: JSONFields, _ name: String) throws(FieldError) -> UInt64? {
        guard let seed = try fields.int(name), seed != -1 else { return nil }
        return UInt64(bitPattern: Int64(seed))
    }

    /// JSON has no integer keys: ids are strings.
    private static func logitBias(_ fields: JSONFields) throws(FieldError) -> [Int32: Double] {
        guard let object = try fields.fields("logit_bias") else { return [:] }
        var biases: [Int32: Double] = [:]
        for member in object.object.members {
            let path = object.path(member.name)
            guard let id = Int32(member.name), id >= 0 else {
                throw FieldError(path, .invalid("the key must be a token id"))
            }
            biases[id] = try member.value.number(at: path)
        }
        return biases
    }
}
