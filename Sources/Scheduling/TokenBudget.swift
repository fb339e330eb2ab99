/// Rows left in the step that is being planned.
struct TokenBudget {
    private(set) var rows: Int
    private var promptRows: Int
    /// Prompt tokens that may still be scored.
    private(set) var scored: Int

    init(rows: Int, promptRows: Int, scored: Int) {
        self.rows = rows
        self.promptRows = promptRows
        self.scored = scored
    }

    /// Rows a prefill chunk may have.
    var chunk: Int { min(rows, promptRows) }

    mutating func limitChunks(to count: Int) { promptRows = min(promptRows, count) }

    mutating func spendDecode() { rows -= 1 }

    mutating func spendChunk(_ count: Int, scored: Int) {
        rows -= count
        promptRows -= count
        self.scored -= scored
    }
}
