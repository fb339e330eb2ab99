/// Rows left in the step that is being planned.
struct TokenBudget {
    private(set) var rows: Int
    private var promptRows: Int

    init(rows: Int, promptRows: Int) {
        self.rows = rows
        self.promptRows = promptRows
    }

    /// Rows a prefill chunk may have.
    var chunk: Int { min(rows, promptRows) }

    mutating func spendDecode() { rows -= 1 }

    mutating func spendChunk(_ count: Int) {
        rows -= count
        promptRows -= count
    }
}
