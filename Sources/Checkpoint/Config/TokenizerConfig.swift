/// What the files beside `tokenizer.json` say: `tokenizer_config.json`, `special_tokens_map.json`, and the chat template,
/// which may have a file of its own (`chat_template.jinja`, `chat_template.json`).
package struct TokenizerConfig: Sendable, Equatable {
    package struct Template: Sendable, Equatable {
        /// `default`, or for example `tool_use`.
        package var name: String
        package var source: String
        /// Where it was found; for messages.
        package var file: String
    }

    package var beginOfSequenceToken: String?
    package var endOfSequenceToken: String?
    /// Empty: the model has none.
    package var chatTemplates: [Template] = []

    package init() {}

    /// - Returns: empty settings if the model has none of the files.
    /// - Throws: `malformedJSON`, or `configuration` with the JSON path.
    package static func read(_ files: ModelFiles) throws(CheckpointError) -> TokenizerConfig {
        var result = TokenizerConfig()
        for name in ["tokenizer_config.json", "special_tokens_map.json"] {
            guard let section = try ConfigSection.read(name, of: files) else { continue }
            if result.beginOfSequenceToken == nil {
                result.beginOfSequenceToken = try section.tokenText("bos_token")
            }
            if result.endOfSequenceToken == nil {
                result.endOfSequenceToken = try section.tokenText("eos_token")
            }
        }
        result.chatTemplates = try templates(files)
        return result
    }

    /// A template file of its own wins over the entry in `tokenizer_config.json`, as in transformers.
    private static func templates(_ files: ModelFiles) throws(CheckpointError) -> [Template] {
        if let bytes = try files.contents(of: "chat_template.jinja") {
            let file = files.path(of: "chat_template.jinja")
            // Mending it silently would put other characters into every prompt.
            guard let source = String(validating: bytes, as: UTF8.self) else {
                throw .configuration(file: file, key: "$", expected: "valid UTF-8", found: "other bytes")
            }
            return [Template(name: "default", source: source, file: file)]
        }
        for name in ["chat_template.json", "tokenizer_config.json"] {
            guard let section = try ConfigSection.read(name, of: files), section.has("chat_template") else { continue }
            guard section.isArray("chat_template") else {
                let source = try section.string("chat_template") ?? ""
                return [Template(name: "default", source: source, file: section.file)]
            }
            var result: [Template] = []
            for entry in try section.sections("chat_template") ?? [] {
                guard let name = try entry.string("name") else { throw entry.failure("name", expected: "a string") }
                guard let source = try entry.string("template") else {
                    throw entry.failure("template", expected: "a string")
                }
                result.append(Template(name: name, source: source, file: section.file))
            }
            return result
        }
        return []
    }
}
