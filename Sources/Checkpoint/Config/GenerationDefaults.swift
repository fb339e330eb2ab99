/// `generation_config.json`: how the model's makers advise to sample. Nil: they do not say.
package struct GenerationDefaults: Sendable, Equatable {
    /// Any of these ends a text. From `config.json` where `generation_config.json` has none.
    package var endOfSequenceIDs: [Int32] = []
    package var beginOfSequenceID: Int32?
    /// False: greedy, whatever the temperature says.
    package var doSample: Bool?
    package var temperature: Double?
    /// 0 or -1: no limit.
    package var topK: Int?
    package var topP: Double?
    package var minP: Double?
    package var repetitionPenalty: Double?
    /// Most tokens of an answer.
    package var maximumNewTokens: Int?

    package init() {}

    /// - Returns: empty defaults if the model has neither file.
    /// - Throws: `malformedJSON`, or `configuration` with the JSON path.
    package static func read(_ files: ModelFiles) throws(CheckpointError) -> GenerationDefaults {
        var result = GenerationDefaults()
        if let section = try ConfigSection.read("generation_config.json", of: files) {
            result.endOfSequenceIDs = try identifiers("eos_token_id", of: section) ?? []
            result.beginOfSequenceID = try identifiers("bos_token_id", of: section)?.first
            result.doSample = try section.boolean("do_sample")
            result.temperature = try section.number("temperature", "a number from 0") { $0 >= 0 }
            result.topK = try section.integer("top_k", in: -1...Int(Int32.max))
            result.topP = try section.number("top_p", "a number above 0, at most 1") { $0 > 0 && $0 <= 1 }
            result.minP = try section.number("min_p", "a number from 0 to 1") { $0 >= 0 && $0 <= 1 }
            result.repetitionPenalty = try section.positive("repetition_penalty")
            result.maximumNewTokens = try section.integer("max_new_tokens", in: 1...Int(Int32.max))
        }
        if result.endOfSequenceIDs.isEmpty || result.beginOfSequenceID == nil,
            let outer = try ConfigSection.read("config.json", of: files)
        {
            let config = try outer.section("text_config").map(outer.completed(by:)) ?? outer
            if result.endOfSequenceIDs.isEmpty {
                result.endOfSequenceIDs = try identifiers("eos_token_id", of: config) ?? []
            }
            if result.beginOfSequenceID == nil {
                result.beginOfSequenceID = try identifiers("bos_token_id", of: config)?.first
            }
        }
        return result
    }

    static func identifiers(_ key: String, of section: ConfigSection) throws(CheckpointError) -> [Int32]? {
        try section.integers(key, in: 0...Int(Int32.max))?.map { Int32($0) }
    }
}
