import Statistics
import WireTypes

/// Traces in Mooncake's format (github.com/kvcache-ai/Mooncake): one JSON object per line with `timestamp` in
/// milliseconds, `input_length`, `output_length` and `hash_ids`, where equal ids stand for equal blocks of 512 tokens at
/// the same place behind equal blocks.
package struct MooncakeDataset: Sendable {
    package var path: String
    package var count: Int
    /// Tokens that stand for one hash id. The recorded blocks have 512; SGLang's client sends 128 words for each.
    package var tokensPerBlock = 128
    /// Conversations of so many rounds, each beginning with the recorded prompt.
    package var rounds = 1

    package init(path: String, count: Int) {
        self.path = path
        self.count = count
    }

    /// Prompts that share what the recorded ones shared.
    /// - Throws: `LoadBenchError` naming the file and the line.
    package func items(codec: PromptCodec, seed: UInt64) throws(LoadBenchError) -> [WorkItem] {
        var items: [WorkItem] = []
        for (number, line) in DatasetFile.lines(try DatasetFile.bytes(path)).enumerated() {
            if items.count == count { break }
            let fields: JSONFields
            do {
                fields = try JSONFields(root: try JSONParser.parse(line))
                let blocks = try fields.array("hash_ids") ?? []
                let output = try fields.int("output_length") ?? 256
                let milliseconds = try fields.number("timestamp") ?? 0
                let texts = blocks.map { block -> String in
                    guard case .int(let id) = block else { return "" }
                    var random = RandomSource(seed: seed ^ UInt64(bitPattern: Int64(id)))
                    return codec.decode(codec.randomIDs(tokensPerBlock, &random))
                }
                let text = texts.joined(separator: " ") + "\nTell me a story based on this context."
                items.append(
                    WorkItem(
                        prompt: rounds > 1
                            ? .rounds([text] + (1..<rounds).map { "Round \($0 + 1): go on." }) : .text(text),
                        promptTokens: codec.encode(text).count + codec.addedTokens, outputTokens: max(1, output),
                        timestamp: milliseconds / 1000))
            } catch {
                throw .dataset(path: path, reason: "line \(number + 1): \(error)")
            }
        }
        guard !items.isEmpty else { throw .dataset(path: path, reason: "it has no lines") }
        return items.sorted { ($0.timestamp ?? 0) < ($1.timestamp ?? 0) }
    }
}
