import EngineInterface

/// Log-probabilities of the prompt: row `i - 1` of the logits scores token `i`, so rows from there on have to be fed
/// even where they are cached.
extension SequenceState {
    /// Index of the next prompt token to be scored; nil if none is left.
    private var nextScored: Int? {
        guard let scoring else { return nil }
        let next = max(1, scoring.start) + scores.count
        return next < prompt.count ? next : nil
    }

    /// Tokens that may be taken from the cache. At least the last has to be fed to get logits.
    var matchLimit: Int { min(tokens.count - 1, nextScored.map { $0 - 1 } ?? .max) }

    /// Which of the next `rows` tokens give the logits that score a prompt token.
    func scoredOffsets(of rows: Int) -> Range<Int> {
        guard let nextScored else { return 0..<0 }
        let first = nextScored - 1 - fed
        let end = min(rows, prompt.count - 1 - fed)
        return first < end ? first..<end : 0..<0
    }

    /// Rows of the next chunk that the budget allows.
    func chunk(atMost budget: TokenBudget) -> Int {
        let rows = min(budget.chunk, pending)
        let scored = scoredOffsets(of: rows)
        return scored.count <= budget.scored ? rows : scored.lowerBound + budget.scored
    }

    /// The event that reports the scores, once the whole prompt was fed.
    func takeScores() -> GenerationEvent? {
        guard let scoring, !hasReportedScores else { return nil }
        hasReportedScores = true
        // Nothing comes before the first token of all.
        let first = scoring.start == 0 ? [GeneratedToken(id: prompt[0])] : []
        return .prompt(first + scores)
    }
}
