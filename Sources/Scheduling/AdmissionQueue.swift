import PrefixCache
import Statistics

/// The requests that wait for pages, and the order in which they are looked at.
struct AdmissionQueue {
    /// By number, that is in order of submission.
    private(set) var waiting: [SequenceState] = []
    private let policy: SchedulePolicy
    private let agingSeconds: Double
    private var random: RandomSource

    init(_ configuration: SchedulerConfiguration) {
        policy = configuration.policy
        agingSeconds = configuration.agingSeconds
        random = RandomSource(seed: configuration.randomSeed)
    }

    var count: Int { waiting.count }
    var isEmpty: Bool { waiting.isEmpty }

    /// Puts a new request at the end, a retracted one back to where it was.
    mutating func insert(_ sequence: SequenceState) {
        var place = waiting.count
        while place > 0, waiting[place - 1].number > sequence.number { place -= 1 }
        waiting.insert(sequence, at: place)
    }

    mutating func remove(_ sequence: SequenceState) {
        waiting.removeAll { $0 === sequence }
    }

    /// Drops those that have been admitted.
    mutating func removeRunning() {
        waiting.removeAll { $0.phase == .running }
    }

    /// The order of admission at this moment.
    ///
    /// Level = priority + whole `agingSeconds` waited. Sorting by level first bounds starvation: of two requests with
    /// the same priority, the one that came `agingSeconds` or more earlier is always on a higher level.
    /// - Complexity: O(n log n), plus what has been published for each request's prefix since the last call.
    ///
    /// - Parameter isTight: admitting them all would evict something.
    mutating func ordered(
        now: Double, cache: any PageCache, pacing: StepPacing, isTight: Bool
    ) -> [SequenceState] {
        if policy == .fcfs || waiting.count < 2 { return waiting }
        var candidates = waiting.map { Candidate($0, level: level($0, now: now)) }
        switch policy {
        case .fcfs, .priority: break
        case .lof: for index in candidates.indices { candidates[index].rank = candidates[index].sequence.newTokenLimit }
        case .random:
            for index in candidates.indices { candidates[index].rank = Int(truncatingIfNeeded: random.next() >> 1) }
        case .lpm:
            for index in candidates.indices {
                let match = candidates[index].sequence.refreshMatch(in: cache)
                candidates[index].rank = match.length
                // About to be evicted, if others were let in first: the sooner, the earlier.
                if isTight, match.length >= cache.pageSize {
                    candidates[index].evictionRank = cache.evictionRank(of: match)
                }
            }
        case .hrrn:
            for index in candidates.indices {
                let sequence = candidates[index].sequence
                let work = sequence.tokens.count - sequence.refreshMatch(in: cache).length
                // A millisecond a token until it was measured.
                let seconds = pacing.seconds(forPromptRows: work).map { max($0, 1e-6) } ?? Double(work) * 1e-3
                let ratio = 1 + max(0, now - sequence.submittedAt) / seconds
                candidates[index].rank = Int(min(ratio, 1e12) * 1e3)
            }
        case .shortestPrefillFirst:
            for index in candidates.indices {
                let sequence = candidates[index].sequence
                candidates[index].rank = sequence.refreshMatch(in: cache).length - sequence.tokens.count
            }
        case .depthFirstWeight: SubtreeOrder.rank(&candidates, cache: cache)
        }
        candidates.sort()
        return candidates.map(\.sequence)
    }

    private func level(_ sequence: SequenceState, now: Double) -> Int {
        if policy == .priority { return sequence.priority }
        let spans = max(0, now - sequence.submittedAt) / agingSeconds
        // Spans of zero length (or a clock that went astray) must not trap on conversion.
        let waited = spans < 1e9 ? Int(spans) : 1_000_000_000
        let (level, overflow) = sequence.priority.addingReportingOverflow(waited)
        return overflow ? .max : level
    }
}

/// A waiting request with its place in the order: higher level, then sooner evicted, then higher rank, then earlier
/// number.
struct Candidate: Comparable {
    let sequence: SequenceState
    let level: Int
    var rank = 0
    /// Of the pages it would use, as the cache's policy ranks them; nil if they are safe.
    var evictionRank: EvictionRank?

    init(_ sequence: SequenceState, level: Int) {
        self.sequence = sequence
        self.level = level
    }

    static func < (a: Candidate, b: Candidate) -> Bool {
        if a.level != b.level { return a.level > b.level }
        switch (a.evictionRank, b.evictionRank) {
        case (let left?, let right?):
            if left != right { return left < right }
        case (.some, nil): return true
        case (nil, .some): return false
        case (nil, nil): break
        }
        if a.rank != b.rank { return a.rank > b.rank }
        return a.sequence.number < b.sequence.number
    }

    static func == (a: Candidate, b: Candidate) -> Bool { a.sequence === b.sequence }
}

extension SequenceState {
    /// The longest cached prefix as of now. At least the last token has to be fed to get logits.
    func refreshMatch(in cache: any PageCache) -> Match {
        let match = cache.match(tokens, limit: matchLimit, namespace: namespace, after: match?.position)
        self.match = match
        return match
    }
}
