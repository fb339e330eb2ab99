import Statistics
import WireTypes

/// Conversations of a file: ShareGPT's JSON array (`sharegpt`), or one conversation per line (`custom`, `multi-turn`).
package struct ConversationDataset: Sendable {
    package var path: String
    package var count: Int
    /// In place of the recorded answers' lengths.
    package var fixedOutputLength: Int?
    /// Longer prompt + answer pairs are left out.
    package var contextLength: Int?
    package var promptSuffix = ""
    package var appliesChatTemplate = false
    /// All of the user's turns, one request each; otherwise the first only.
    package var allTurns = false

    package init(path: String, count: Int) {
        self.path = path
        self.count = count
    }

    /// - Throws: `LoadBenchError` naming the file and the line.
    package func items(codec: PromptCodec, seed: UInt64) throws(LoadBenchError) -> [WorkItem] {
        if let fixedOutputLength, fixedOutputLength < 4 {
            throw .option(flag: "--sharegpt-output-len", reason: "\(fixedOutputLength) is less than 4")
        }
        var conversations = try Self.conversations(path)
        var random = RandomSource(seed: seed)
        conversations.shuffle(using: &random)
        var items: [WorkItem] = []
        for turns in conversations {
            if items.count == count { break }
            var prompt = turns[0] + promptSuffix
            if appliesChatTemplate {
                guard let rendered = codec.renderChat?(prompt) else {
                    throw .option(flag: "--apply-chat-template", reason: "the tokenizer has no chat template")
                }
                prompt = rendered
            }
            let promptTokens = codec.encode(prompt).count + codec.addedTokens
            let outputTokens = fixedOutputLength ?? codec.encode(turns[1]).count
            if promptTokens < 2 || outputTokens < 2 { continue }
            if let contextLength, promptTokens + outputTokens > contextLength { continue }
            let asked = stride(from: 2, to: turns.count, by: 2).map { turns[$0] }
            items.append(
                WorkItem(
                    prompt: allTurns ? .rounds([prompt] + asked) : .text(prompt), promptTokens: promptTokens,
                    outputTokens: outputTokens))
        }
        guard !items.isEmpty else { throw .dataset(path: path, reason: "no conversation of at least two turns fits") }
        return items
    }

    /// What the user says first, in each conversation.
    package static func firstTurns(_ path: String) throws(LoadBenchError) -> [String] {
        try conversations(path).map { $0[0] }
    }

    /// Turns of each conversation that has at least two.
    static func conversations(_ path: String) throws(LoadBenchError) -> [[String]] {
        let bytes = try DatasetFile.bytes(path)
        var found: [[String]] = []
        if bytes.first(where: { $0 > 0x20 }) == UInt8(ascii: "[") {
            var limits = JSONLimits()
            limits.values = .max
            guard case .array(let elements)? = try? JSONParser.parse(bytes, limits: limits) else {
                throw .dataset(path: path, reason: "it is not a JSON array")
            }
            found = elements.compactMap(turns)
        } else {
            for line in DatasetFile.lines(bytes) {
                if let value = try? JSONParser.parse(line), let turns = turns(value) { found.append(turns) }
            }
        }
        return found
    }

    private static func turns(_ value: JSONValue) -> [String]? {
        guard case .object(let object) = value else { return nil }
        let list = object["conversations"] ?? object["conversation"] ?? object["messages"] ?? object["turns"]
        guard case .array(let elements)? = list else { return nil }
        let texts = elements.compactMap { element -> String? in
            switch element {
            case .string(let text): return text
            case .object(let turn):
                if case .string("system")? = turn["role"] { return nil }
                if case .string(let text)? = turn["content"] ?? turn["value"] { return text }
                return nil
            default: return nil
            }
        }
        return texts.count >= 2 ? texts : nil
    }
}
