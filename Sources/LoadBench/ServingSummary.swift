package import Statistics

/// The numbers of one run, computed as SGLang's `bench_serving` does. Times in seconds; the names of the result file are
/// `ServingRecord`'s.
package struct ServingSummary: Sendable, Equatable {
    package var seconds: Double
    package var completed = 0
    package var failed = 0
    package var inputTokens = 0
    /// Sum of what the server counted; nil if it does not tell.
    package var serverInputTokens: Int?
    package var outputTokens = 0
    package var retokenizedOutputTokens = 0
    package var timeToFirstToken: Distribution
    package var timePerOutputToken: Distribution
    package var interTokenTime: Distribution
    package var latency: Distribution
    /// Sum of latencies by time: requests in flight on average.
    package var concurrency = 0.0
    /// Most tokens in one second, and most requests that touched one.
    package var peakOutputTokens = 0.0
    package var peakConcurrency = 0
    /// As the answers tell; nil if none did.
    package var cachedTokens: Int?
    /// Likewise, where an answer tells in which tier.
    package var cachedByTier: CachedByTier?

    /// - Parameters:
    ///   - seconds: length of the run.
    ///   - retokenize: tokens of a text.
    package init(_ outcomes: [RequestOutcome], seconds: Double, retokenize: (String) -> Int) {
        self.seconds = seconds
        let good = outcomes.filter(\.isSuccess)
        timeToFirstToken = Distribution(good.map(\.timeToFirstToken))
        timePerOutputToken = Distribution(good.compactMap(\.timePerOutputToken))
        interTokenTime = Distribution(good.flatMap(\.interTokenTimes))
        latency = Distribution(good.map(\.latency))
        completed = good.count
        failed = outcomes.count - good.count
        inputTokens = good.reduce(0) { $0 + ($1.round > 0 ? $1.serverPromptTokens ?? 0 : $1.promptTokens) }
        let counted = good.compactMap(\.serverPromptTokens)
        if !counted.isEmpty { serverInputTokens = counted.reduce(0, +) }
        outputTokens = good.reduce(0) { $0 + $1.outputTokens }
        retokenizedOutputTokens = good.reduce(0) { $0 + retokenize($1.text) }
        let cached = good.compactMap(\.cachedTokens)
        if !cached.isEmpty { cachedTokens = cached.reduce(0, +) }
        for tiers in good.compactMap(\.cachedByTier) {
            var sum = cachedByTier ?? CachedByTier()
            sum.device += tiers.device
            sum.host += tiers.host
            sum.storage += tiers.storage
            if tiers.storage > 0 { sum.storageBackend = tiers.storageBackend }
            cachedByTier = sum
        }
        if seconds > 0 { concurrency = latency.sorted.reduce(0, +) / seconds }
        findPeaks(good)
    }

    private mutating func findPeaks(_ good: [RequestOutcome]) {
        guard let begin = good.map(\.start).min(), let end = good.map({ $0.start + $0.latency }).max() else { return }
        let buckets = Int((end - begin).rounded(.up)) + 1
        var tokens = [Double](repeating: 0, count: buckets)
        var requests = [Int](repeating: 0, count: buckets)
        for outcome in good {
            var time = outcome.start + outcome.timeToFirstToken - begin
            tokens[min(buckets - 1, max(0, Int(time)))] += 1
            for gap in outcome.interTokenTimes {
                time += gap
                tokens[min(buckets - 1, max(0, Int(time)))] += 1
            }
            let first = Int(outcome.start - begin)
            let last = min(buckets - 1, Int(outcome.start + outcome.latency - begin))
            for second in first...max(first, last) { requests[second] += 1 }
        }
        peakOutputTokens = tokens.max() ?? 0
        peakConcurrency = requests.max() ?? 0
    }

    package var requestThroughput: Double { rate(Double(completed)) }
    package var inputThroughput: Double { rate(Double(inputTokens)) }
    package var outputThroughput: Double { rate(Double(outputTokens)) }
    package var totalThroughput: Double { rate(Double(inputTokens + outputTokens)) }

    /// Share of the prompt tokens that the server had already, as its answers tell.
    package var cacheHitRate: Double? {
        guard let cachedTokens else { return nil }
        let prompt = serverInputTokens ?? inputTokens
        return prompt > 0 ? Double(cachedTokens) / Double(prompt) : 0
    }

    private func rate(_ amount: Double) -> Double { seconds > 0 ? amount / seconds : 0 }
}
