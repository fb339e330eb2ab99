import EngineInterface
import PrefixCache

extension Scheduler {
    /// Lets waiting requests in, in the policy's order, while rows and pages last. Who finds no room is not overtaken
    /// by smaller ones; only those whose next tokens are being computed by another are passed by.
    ///
    /// - Parameter first: the one for which room was made, before all others.
    func admit(_ step: inout StepPlan, _ budget: inout TokenBudget, first: SequenceState? = nil, now: Double) {
        guard !queue.isEmpty, budget.chunk > 0, running.count < runningLimit else { return }
        registerInFlight()
        var reserve = running.reduce(0) { $0 + pagesStillNeeded($1) }
        var order = queue.ordered(now: now, cache: cache, pacing: pacing, isTight: isTight(reserve))
        if let first {
            order.removeAll { $0 === first }
            order.insert(first, at: 0)
        }
        for sequence in order {
            if budget.chunk == 0 || running.count >= runningLimit { break }
            if mustAwaitTier(sequence, now: now) { continue }
            let match = sequence.refreshMatch(in: cache)
            if mustAwaitChunk(sequence, match) { continue }
            guard start(sequence, match, reserve: reserve, &step, &budget, now: now) else { break }
            reserve += pagesStillNeeded(sequence)
            if sequence.pending > 1 { register(sequence) }
        }
        queue.removeRunning()
        // Keeps no second reference to the token arrays, which are about to grow.
        inFlight.removeAll()
    }

    /// Takes the cached prefix and the first chunk's pages.
    /// - Returns: false if there is no room; then nothing has changed.
    private func start(
        _ sequence: SequenceState, _ match: Match, reserve: Int, _ step: inout StepPlan, _ budget: inout TokenBudget,
        now: Double
    ) -> Bool {
        let lease = cache.lease(match, held: &sequence.held, now: now)
        let tail = cache.tail(of: match)
        sequence.fed = match.length
        let rows = min(sequence.chunk(atMost: budget), tokensThatFit(sequence))
        let hasRoom = availablePages >= reserve + pagesStillNeeded(sequence)
        guard rows > 0, hasRoom || running.isEmpty, reservePages(for: sequence, rows: rows, now: now) else {
            sequence.fed = 0
            cache.release(lease, held: &sequence.held, now: now)
            return false
        }
        sequence.lease = consume lease
        sequence.phase = .running
        sequence.computedFrom = match.length
        noteReused(sequence)
        running.append(sequence)
        if let tail {
            let own = sequence.held.table[match.length / configuration.pageSize]
            if own != tail.page {
                step.copies.append(PageCopy(source: tail.page, destination: own, tokens: tail.tokens))
            }
        }
        if !sequence.hasStarted { reportStart(sequence, match, now: now) }
        budget.spendChunk(rows, scored: sequence.scoredOffsets(of: rows).count)
        addEntry(sequence, rows: rows, to: &step)
        return true
    }

    /// Whether admitting all that wait would evict something.
    private func isTight(_ reserve: Int) -> Bool {
        var needed = reserve
        for sequence in queue.waiting {
            needed += pagesStillNeeded(sequence)
            if needed > cache.pool.free { return true }
        }
        return false
    }

    /// Pages until the prompt is fed and some output has room.
    func pagesStillNeeded(_ sequence: SequenceState) -> Int {
        let tokens = min(sequence.tokens.count + configuration.decodeHeadroomTokens, sequence.finalLength)
        return max(0, pages(for: max(tokens, sequence.tokens.count)) - sequence.held.table.count)
    }

    // MARK: In-flight sharing

    private func registerInFlight() {
        guard cache.reuses else { return }
        for sequence in running where sequence.pending > 1 { register(sequence) }
    }

    private func register(_ sequence: SequenceState) {
        guard cache.reuses else { return }
        inFlight.add(
            sequence: sequence.number, namespace: sequence.namespace, tokens: sequence.tokens,
            computedFrom: sequence.computedFrom)
    }

    /// Whether another sequence is computing what this one needs next. It waits for running sequences only, which
    /// themselves wait for nobody; when such a one is retracted or aborted, it is no longer in flight and the first
    /// that waited goes on by itself.
    private func mustAwaitChunk(_ sequence: SequenceState, _ match: Match) -> Bool {
        guard cache.reuses else { return false }
        let useful = sequence.matchLimit - match.length
        guard useful > 0 else { return false }
        sequence.sharedWork = inFlight.computing(
            sequence.tokens, from: match.length, namespace: sequence.namespace,
            minimum: min(inFlightMinimum, useful), known: sequence.sharedWork)
        return sequence.sharedWork != nil
    }
}
