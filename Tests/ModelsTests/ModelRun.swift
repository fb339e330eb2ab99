import Checkpoint
import Compute
import Models
import Tensors

/// A loaded model with pages, fed by hand.
final class ModelRun {
    let model: any Model
    let backend: any Backend
    let cache: KVCache
    static let pageSize = 16

    /// Rows of one sequence in a step.
    struct Entry {
        var tokens: [Int32]
        var start: Int
        /// The sequence's pages, from position 0.
        var pages: [Int32]
    }

    init(
        _ files: ModelFiles, _ backend: any Backend, rows: Int = 256, pages: Int = 40, dtype: DType? = nil,
        format: WeightFormat = .stored, cache weights: WeightCacheUse? = nil
    ) throws {
        self.backend = backend
        model = try ModelLoader.load(
            files, backend: backend, limits: ModelLimits(maximumRows: rows, maximumSampledRows: rows), dtype: dtype,
            format: format, cache: weights)
        cache = try backend.makeKVCache(model.kvLayout(pageSize: Self.pageSize), pages: pages)
    }

    /// One step.
    /// - Returns: for each entry the logits of each of its rows, or of those that `samples` picks (by entry and row).
    func step(_ entries: [Entry], samples: (Int, Int) -> Bool = { _, _ in true }) -> [[[Float]]] {
        var context = ForwardContext()
        var owners: [Int] = []
        for (index, entry) in entries.enumerated() {
            context.sequences.append(
                SequenceSpan(
                    firstRow: context.tokens.count, rowCount: entry.tokens.count, startPosition: entry.start,
                    firstPage: context.pageTable.count, pageCount: entry.pages.count))
            context.pageTable += entry.pages
            for (offset, token) in entry.tokens.enumerated() {
                if samples(index, offset) {
                    context.sampledRows.append(Int32(context.tokens.count))
                    owners.append(index)
                }
                context.tokens.append(token)
                context.positions.append(Int32(entry.start + offset))
            }
        }
        backend.beginStep()
        defer { backend.endStep() }
        let logits = model.forward(context, cache: cache)
        var result = [[[Float]]](repeating: [], count: entries.count)
        for (row, owner) in owners.enumerated() { result[owner].append(backend.read(logits, row: row)) }
        return result
    }

    /// Logits at every position of a prompt fed in chunks through the given pages.
    func logits(_ tokens: [Int32], chunk: Int, pages: [Int32]) -> [[Float]] {
        stride(from: 0, to: tokens.count, by: chunk).flatMap { start in
            let end = min(start + chunk, tokens.count)
            return step([Entry(tokens: Array(tokens[start..<end]), start: start, pages: pages)])[0]
        }
    }

    /// The prompt in one step, then one token a step, always the largest logit.
    func greedy(_ prompt: [Int32], count: Int, pages: [Int32]) -> [Int32] {
        var result: [Int32] = []
        var feed = prompt
        var position = 0
        while result.count < count {
            let last = feed.count - 1
            let row = step([Entry(tokens: feed, start: position, pages: pages)]) { $1 == last }[0][0]
            position += feed.count
            let best = row.indices.max { (row[$0], -$0) < (row[$1], -$1) } ?? 0
            feed = [Int32(best)]
            result.append(Int32(best))
        }
        return result
    }

    static func pages(_ first: Int32, tokens: Int) -> [Int32] {
        // Descending, so that nothing can rely on pages that follow each other.
        (0..<Int32((tokens + pageSize - 1) / pageSize)).map { first + $0 }.reversed()
    }
}
