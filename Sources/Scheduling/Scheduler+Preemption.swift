import EngineInterface
import PrefixCache

extension Scheduler {
    /// Takes rows and pages from running requests for one that waits and is more urgent by the threshold, as many as it
    /// needs and no more. What the others have computed stays cached and what they have generated is kept, so they
    /// resume cheaply; none is made to do so more than `maxPreemptions` times.
    ///
    /// - Returns: the request that has room now, to be admitted before all others.
    func preempt(now: Double) -> SequenceState? {
        guard let threshold = configuration.preemptionThreshold, !running.isEmpty else { return nil }
        // By plain priority, without ageing: having waited long gives nobody the right to stop others.
        guard let urgent = queue.waiting.max(by: { $0.priority < $1.priority }) else { return nil }
        guard urgent.fetch == nil, urgent.awaitedFetch == nil else { return nil }
        func hasRoom() -> Bool {
            let reserve = running.reduce(0) { $0 + pagesStillNeeded($1) }
            let match = urgent.refreshMatch(in: cache)
            // Cached pages that nobody leases count as available, so they are needed like free ones.
            let shared = cache.evictionRank(of: match) == nil ? match.length / configuration.pageSize : 0
            return running.count < runningLimit
                && (running.isEmpty || availablePages >= reserve + pagesStillNeeded(urgent) - shared)
        }
        if hasRoom() { return nil }
        var victims = running.filter { victim in
            let (difference, overflow) = urgent.priority.subtractingReportingOverflow(victim.priority)
            return (overflow ? urgent.priority > victim.priority : difference >= threshold)
                && victim.preemptions < configuration.maxPreemptions
        }
        // The least urgent first, of those the youngest.
        victims.sort { ($0.priority, -$0.number) < ($1.priority, -$1.number) }
        var stopped = false
        for victim in victims where !hasRoom() {
            victim.preemptions += 1
            counters.preemptions += 1
            retract(victim, now: now)
            stopped = true
        }
        return stopped && hasRoom() ? urgent : nil
    }
}
