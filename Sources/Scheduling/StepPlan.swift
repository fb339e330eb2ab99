/// The work of one step, as plain ids: what the runner has to feed through the model. Made by `Scheduler.plan`,
/// carried out by `Engine`, answered with a `StepResult`.
package struct StepPlan: Sendable, Equatable {
    /// Token copies inside the KV pool, to be done in order before the forward pass (copy-on-write tails).
    package var copies: [PageCopy]
    /// One entry per sequence in the batch: decoding sequences (one token) and prefill chunks (many) side by side.
    package var entries: [StepEntry]

    package init(copies: [PageCopy] = [], entries: [StepEntry] = []) {
        self.copies = copies
        self.entries = entries
    }

    /// Rows of the batch: the sum of all chunks.
    package var rowCount: Int { entries.reduce(0) { $0 + $1.tokens.count } }

    /// Rows of entries that feed more than the one token of a decode.
    package var prefillRowCount: Int { entries.reduce(0) { $0 + ($1.tokens.count > 1 ? $1.tokens.count : 0) } }
}

/// Copies the first `tokens` token slots of page `source` to page `destination`, in every layer.
package struct PageCopy: Sendable, Equatable {
    package var source: Int32
    package var destination: Int32
    package var tokens: Int

    package init(source: Int32, destination: Int32, tokens: Int) {
        self.source = source
        self.destination = destination
        self.tokens = tokens
    }
}

/// One sequence's share of a step.
package struct StepEntry: Sendable, Equatable {
    /// Scheduler-wide number of the sequence; never reused.
    package var sequence: Int
    /// Ids to feed, in order.
    package var tokens: [Int32]
    /// Position of `tokens[0]` in the sequence; positions before it are already in the KV pages.
    package var startPosition: Int
    /// Page table from position 0: page `i` holds positions `i * pageSize ..< (i + 1) * pageSize`.
    /// Covers at least `startPosition + tokens.count` positions.
    package var pages: [Int32]
    /// Whether the last row's logits are sampled (true for decode and for the last prefill chunk).
    package var samples: Bool
    /// Offsets into `tokens` after which the next token of the prompt is scored.
    package var scored: Range<Int>
    /// Leading pages that are also those of the entry before this one.
    package var sharedPages: Int

    package init(
        sequence: Int, tokens: [Int32], startPosition: Int, pages: [Int32], samples: Bool, scored: Range<Int> = 0..<0,
        sharedPages: Int = 0
    ) {
        self.sequence = sequence
        self.tokens = tokens
        self.startPosition = startPosition
        self.pages = pages
        self.samples = samples
        self.scored = scored
        self.sharedPages = sharedPages
    }
}
