import Statistics

/// SGLang's `random` and `random-ids`.
///
/// `random-ids` are runs of consecutive ids from a random start, as SGLang makes them. `random` takes texts of a ShareGPT
/// file, cut or repeated to length; without a file it draws tokens of the vocabulary one by one, which no two prompts
/// share either.
package struct RandomDataset: Sendable {
    package var count: Int
    package var inputLength: Int
    package var outputLength: Int
    /// Lengths are drawn evenly from `ratio * length` to `length`.
    package var rangeRatio: Double
    package var consecutiveIDs: Bool
    /// Send ids in place of text.
    package var asTokens: Bool
    /// First user turns to take texts from.
    package var texts: [String] = []

    package init(
        count: Int, inputLength: Int, outputLength: Int, rangeRatio: Double = 0, consecutiveIDs: Bool = false,
        asTokens: Bool = false
    ) {
        self.count = count
        self.inputLength = inputLength
        self.outputLength = outputLength
        self.rangeRatio = rangeRatio
        self.consecutiveIDs = consecutiveIDs
        self.asTokens = asTokens
    }

    /// - Complexity: O(tokens), a few encodings of each text.
    package func items(codec: PromptCodec, seed: UInt64) -> [WorkItem] {
        var random = RandomSource(seed: seed)
        var lengths = (0..<count).map { _ in random.length(full: inputLength, ratio: rangeRatio) }
        let outputs = (0..<count).map { _ in random.length(full: outputLength, ratio: rangeRatio) }
        // The server adds its special tokens to a text.
        if !asTokens { lengths = lengths.map { max(1, $0 - codec.addedTokens) } }
        var texts = self.texts.filter { !$0.isEmpty }
        texts.shuffle(using: &random)
        return (0..<count).map { index in
            let length = lengths[index]
            let prompt: WorkItem.Prompt
            if consecutiveIDs {
                let size = max(1, codec.vocabularySize)
                let start = Int.random(in: 0..<size, using: &random) + index
                let ids = (0..<length).map { Int32(truncatingIfNeeded: (start + $0) % size) }
                prompt = asTokens ? .tokens(ids) : .text(codec.decode(ids))
            } else if asTokens {
                prompt = .tokens(codec.randomIDs(length, &random))
            } else if texts.isEmpty {
                prompt = .text(codec.randomText(tokens: length, &random))
            } else {
                prompt = .text(codec.text(texts[index % texts.count], fittedTo: length))
            }
            return WorkItem(prompt: prompt, promptTokens: length, outputTokens: outputs[index])
        }
    }
}
