/// One step's batch as the model sees it: rows of several sequences laid one after the other.
package struct ForwardContext {
    /// Token id of each row.
    package var tokens: [Int32] = []
    /// Position of each row in its sequence.
    package var positions: [Int32] = []
    package var sequences: [SequenceSpan] = []
    /// All page tables, concatenated; `SequenceSpan.firstPage` points into it.
    package var pageTable: [Int32] = []
    /// Rows whose logits are wanted, ascending.
    package var sampledRows: [Int32] = []

    package init() {}

    package var rowCount: Int { tokens.count }
}

/// Rows `firstRow ..< firstRow + rowCount` belong to one sequence, at consecutive positions from `startPosition`.
package struct SequenceSpan: Sendable, Hashable {
    package var firstRow: Int
    package var rowCount: Int
    package var startPosition: Int
    /// Index into `ForwardContext.pageTable` of the page that holds position 0.
    package var firstPage: Int
    /// Pages of this sequence in the table.
    package var pageCount: Int
    /// How many of them, from position 0 on, are also those of the sequence before this one in the batch: a backend may
    /// read these once for both.
    package var sharedPages: Int

    package init(
        firstRow: Int, rowCount: Int, startPosition: Int, firstPage: Int, pageCount: Int, sharedPages: Int = 0
    ) {
        self.firstRow = firstRow
        self.rowCount = rowCount
        self.startPosition = startPosition
        self.firstPage = firstPage
        self.pageCount = pageCount
        self.sharedPages = sharedPages
    }
}
