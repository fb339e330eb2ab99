import Statistics

extension RandomSource {
    /// SGLang's rule for lengths: evenly from `full * ratio` (at least 1) to `full`; 0 stays 0.
    mutating func length(full: Int, ratio: Double) -> Int {
        guard full > 0 else { return 0 }
        return Int.random(in: min(full, max(1, Int(Double(full) * ratio)))...full, using: &self)
    }
}
