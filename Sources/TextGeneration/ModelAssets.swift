package import ChatTemplates
package import Checkpoint
package import EngineInterface
package import Tokenizers

/// The text side of a model: tokenizer, chat template, special tokens and advised sampling. Read once, shared by all.
package struct ModelAssets: Sendable {
    package let tokenizer: Tokenizer
    /// Nil: the model has none.
    package let chatTemplate: ChatTemplate?
    /// Used in place of `chatTemplate` where a request brings tools.
    package let toolTemplate: ChatTemplate?
    package let beginOfSequenceToken: String?
    package let endOfSequenceToken: String?
    /// Ids that end a generation: of the generation defaults, and the tokenizer's own.
    package let endOfSequenceIDs: Set<Int32>
    /// What a request that says nothing gets.
    package let defaultSampling: SamplingParameters
    /// What reads reasoning and calls in the model's answers.
    package var parsers: AnswerParsers
    /// The templates write tools and calls themselves.
    package let templateShowsTools: Bool

    /// - Parameters:
    ///   - files: of the model: generation defaults.
    ///   - tokenizerFiles: tokenizer and template, normally the same.
    ///   - chatTemplate: Jinja source in place of the model's own.
    ///   - reasoningParser: a name, `none`, or nil and `auto` for what the template shows.
    ///   - toolCallParser: likewise.
    /// - Throws: `CheckpointError`, `TokenizerError`, `TemplateError` or `UnknownParser`.
    package init(
        files: ModelFiles, tokenizerFiles: ModelFiles, chatTemplate: String? = nil, reasoningParser: String? = nil,
        toolCallParser: String? = nil
    ) throws {
        guard let json = try tokenizerFiles.contents(of: "tokenizer.json") else {
            throw CheckpointError.missingFile(name: "tokenizer.json", directory: tokenizerFiles.description)
        }
        let config = try TokenizerConfig.read(tokenizerFiles)
        let defaults = try GenerationDefaults.read(files)
        let tokenizer = try Tokenizer(json: json)
        let sources = chatTemplate.map { [$0] } ?? config.chatTemplates.map(\.source)
        let parsers = try AnswerParsers(
            reasoning: reasoningParser, toolCalls: toolCallParser,
            template: sources.isEmpty ? nil : sources.joined(separator: "\n"))
        self.init(
            tokenizer: tokenizer,
            chatTemplate: try chatTemplate.map { try ChatTemplate(source: $0, name: "--chat-template") }
                ?? Self.template("default", config),
            toolTemplate: chatTemplate == nil ? try Self.template("tool_use", config) : nil,
            beginOfSequenceToken: config.beginOfSequenceToken
                ?? defaults.beginOfSequenceID.flatMap(tokenizer.token(ofID:)),
            endOfSequenceToken: config.endOfSequenceToken,
            endOfSequenceIDs: defaults.endOfSequenceIDs, defaultSampling: Self.sampling(defaults), parsers: parsers)
    }

    /// From parts; for tests and tools.
    package init(
        tokenizer: Tokenizer, chatTemplate: ChatTemplate?, toolTemplate: ChatTemplate? = nil,
        beginOfSequenceToken: String? = nil, endOfSequenceToken: String? = nil, endOfSequenceIDs: [Int32] = [],
        defaultSampling: SamplingParameters = SamplingParameters(), parsers: AnswerParsers = AnswerParsers()
    ) {
        self.parsers = parsers
        templateShowsTools = [chatTemplate, toolTemplate].contains {
            $0?.referencedVariables.contains("tools") ?? false
        }
        self.tokenizer = tokenizer
        self.chatTemplate = chatTemplate
        self.toolTemplate = toolTemplate
        self.beginOfSequenceToken = beginOfSequenceToken
        self.endOfSequenceToken = endOfSequenceToken
        var ends = Set(endOfSequenceIDs)
        if let id = endOfSequenceToken.flatMap(tokenizer.id(ofToken:)) { ends.insert(id) }
        self.endOfSequenceIDs = ends
        self.defaultSampling = defaultSampling
    }

    private static func template(_ name: String, _ config: TokenizerConfig) throws(TemplateError) -> ChatTemplate? {
        guard let found = config.chatTemplates.first(where: { $0.name == name }) else { return nil }
        return try ChatTemplate(source: found.source, name: found.file)
    }

    private static func sampling(_ defaults: GenerationDefaults) -> SamplingParameters {
        var result = SamplingParameters()
        if let temperature = defaults.temperature { result.temperature = Float(temperature) }
        if defaults.doSample == false { result.temperature = 0 }
        if let topK = defaults.topK, topK > 0 { result.topK = topK }
        if let topP = defaults.topP { result.topP = Float(topP) }
        if let minP = defaults.minP { result.minP = Float(minP) }
        if let penalty = defaults.repetitionPenalty {
            // The API's range ends at 2; a default beyond it must not make every request invalid.
            result.repetitionPenalty = min(Float(penalty), 2)
        }
        return result
    }
}
