import Compute
import Models
import Scheduling

/// Runs the model once before the engine reports ready: weights and buffers are paged in, so the first request is as
/// fast as the second, and a checkpoint that yields NaN is refused at start instead of answering nonsense.
enum SelfCheck {
    /// Feeds a short prompt and one further token through pages the scheduler has not given out yet. What is left
    /// in the pages is never read by a request: a page is only read where its owner wrote it.
    ///
    /// - Parameter fillsPages: whether the prompt is longer than a page, which takes a large model seconds.
    /// - Returns: full pages of the prompt, numbered from 0. Their bits are those of this model in this program.
    static func run(
        _ runner: ModelRunner, backend: any Backend, vocabularySize: Int, pageSize: Int, pages: Int, rows: Int,
        fillsPages: Bool
    ) throws(EngineError) -> Int {
        let count = min(pageSize * pages - 1, fillsPages ? max(64, pageSize) : 4)
        let table = (0..<Int32((count + pageSize) / pageSize)).map { $0 }
        let prompt = (0..<count).map { Int32($0 * 31 % vocabularySize) } + [Int32(vocabularySize - 1)]
        let chunks = stride(from: 0, to: count, by: rows).map { $0..<min($0 + rows, count) } + [count..<count + 1]
        for chunk in chunks {
            let entry = StepEntry(
                sequence: -1, tokens: Array(prompt[chunk]), startPosition: chunk.lowerBound, pages: table,
                samples: true)
            let logits = backend.read(runner.forward(StepPlan(entries: [entry])), row: 0)
            guard logits.allSatisfy(\.isFinite) else {
                let bad = logits.count { !$0.isFinite }
                throw .selfCheckFailed(
                    "\(bad) of \(logits.count) logits are not finite after \(chunk.upperBound) tokens")
            }
        }
        return count / pageSize
    }
}
