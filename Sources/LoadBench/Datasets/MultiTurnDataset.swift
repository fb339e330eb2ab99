import Statistics

/// Conversations of random texts: every round asks with all that was said before, so a server that keeps what it has
/// computed only has the new question to read.
package struct MultiTurnDataset: Sendable {
    package var conversations: Int
    package var rounds: Int
    /// Tokens of the first question, and of each later one.
    package var firstLength: Int
    package var questionLength: Int
    package var outputLength: Int
    package var rangeRatio: Double

    package init(
        conversations: Int, rounds: Int, firstLength: Int, questionLength: Int, outputLength: Int,
        rangeRatio: Double = 1
    ) {
        self.conversations = conversations
        self.rounds = rounds
        self.firstLength = firstLength
        self.questionLength = questionLength
        self.outputLength = outputLength
        self.rangeRatio = rangeRatio
    }

    package func items(codec: PromptCodec, seed: UInt64) -> [WorkItem] {
        var random = RandomSource(seed: seed)
        return (0..<conversations).map { _ in
            let first = random.length(full: firstLength, ratio: rangeRatio)
            let asked = (0..<rounds).map { round in
                let length = round == 0 ? first : random.length(full: questionLength, ratio: rangeRatio)
                return codec.randomText(tokens: length, &random)
            }
            return WorkItem(
                prompt: .rounds(asked), promptTokens: first + codec.addedTokens,
                outputTokens: random.length(full: outputLength, ratio: rangeRatio))
        }
    }
}
