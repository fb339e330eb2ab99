/// How long steps take, and how many rows of prompts the next one may therefore have so that running streams are not
/// kept waiting for longer than they should be.
///
/// Model: a step takes what its decoding rows take, which the last steps without a prompt tell, and so much for each
/// row of a prompt. The bound holds as far as the next step is like the last ones; a fifth of it is kept in reserve
/// for rows that get dearer as their context grows.
struct StepPacing: Sendable {
    /// A step of decoding rows only.
    private var decoding = SpeedEstimate()
    /// One row of a prompt beside them.
    private var prompt = SpeedEstimate()
    /// The last measurement of it: growing contexts make each chunk dearer than the average of those before.
    private var lastPromptRow = 0.0

    /// The smallest chunk, so that prefill never stands still; also the first one, while nothing is known.
    static let smallestChunk = 16

    mutating func learn(seconds: Double, decodingRows: Int, promptRows: Int) {
        guard seconds >= 0, seconds.isFinite else { return }
        if promptRows == 0 {
            decoding.learn(seconds: seconds, units: 1)
        } else if promptRows >= Self.smallestChunk {
            let own = decodingRows > 0 ? max(0, seconds - (decoding.seconds(for: 1) ?? 0)) : seconds
            lastPromptRow = own / Double(promptRows)
            prompt.learn(seconds: own, units: promptRows)
        }
    }

    /// Rows of prompts beside decoding rows in a step of at most `limit` seconds.
    func promptRows(within limit: Double) -> Int {
        guard let average = prompt.secondsPerUnit else { return Self.smallestChunk }
        let row = max(average, lastPromptRow)
        let left = limit * 0.8 - (decoding.seconds(for: 1) ?? 0)
        guard row > 0 else { return .max }
        let rows = left / row
        return rows < 1e9 ? max(Self.smallestChunk, Int(rows)) : .max
    }

    /// Seconds that computing so many tokens of a prompt takes; nil while nothing was measured.
    func seconds(forPromptRows rows: Int) -> Double? { prompt.seconds(for: rows) }
}
