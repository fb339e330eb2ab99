import EngineInterface
import PrefixCache

extension Scheduler {
    /// The work of the next step; nil if there is nothing to do until something is submitted, a tier has answered or
    /// `nextDeadline` has passed.
    ///
    /// Deterministic: the same calls with the same times give the same plans.
    package func plan(now: Double) -> StepPlan? {
        requireNoStep("plan")
        guard hasWork else { return nil }
        pins.removeExpired(in: &cache, now: now)
        var step = attempt(now: now)
        // A request that fits the pool by itself always runs: pins give way before it fails.
        // Not while pages are on their way up: whoever needs those, or the pages they take, waits for the answer.
        while step.entries.isEmpty, !awaitsTiers, pins.giveWay(in: &cache, now: now) {
            counters.droppedPins += 1
            step = attempt(now: now)
        }
        noteFreedPages()
        if step.entries.isEmpty {
            precondition(awaitsTiers, "there is work, but no step was planned")
            return nil
        }
        step.gatherSharers()
        outstanding = step.entries.compactMap { sequences[$0.sequence] }
        return step
    }

    private func attempt(now: Double) -> StepPlan {
        var step = StepPlan()
        var budget = TokenBudget(
            rows: configuration.maxBatchTokens, promptRows: configuration.chunkedPrefillSize,
            scored: configuration.scoredRows)
        plannedAt = now
        planLoads(now: now)
        let urgent = preempt(now: now)
        let retractions = counters.retractions
        planDecodes(&step, &budget, now: now)
        if let limit = configuration.maxGapSeconds, !step.entries.isEmpty {
            budget.limitChunks(to: pacing.promptRows(within: limit))
        }
        var hasRoom = planChunks(&step, &budget, now: now)
        if step.entries.isEmpty, !running.isEmpty {
            rescueOldest(&step, &budget, now: now)
            hasRoom = false
        }
        // Pages that were just taken from one request are not for another that waits; but with nobody running there
        // is nothing else to wait for.
        if running.isEmpty || (hasRoom && counters.retractions == retractions) {
            admit(&step, &budget, first: urgent, now: now)
        }
        return step
    }

    /// One token for each sequence that has just one to feed, oldest first. Who finds no page retracts the youngest,
    /// so the oldest always goes on.
    private func planDecodes(_ step: inout StepPlan, _ budget: inout TokenBudget, now: Double) {
        var index = 0
        while index < running.count {
            let sequence = running[index]
            index += 1
            guard sequence.pending == 1 else { continue }
            while !reservePages(for: sequence, rows: 1, now: now) {
                retractYoungest(now: now)
                if sequence.phase == .waiting { return }
            }
            budget.spendDecode()
            addEntry(sequence, rows: 1, to: &step)
        }
    }

    /// Chunks of the prompts that are being fed already, oldest first.
    /// - Returns: false if somebody lacked pages, so that nobody else should be admitted.
    private func planChunks(_ step: inout StepPlan, _ budget: inout TokenBudget, now: Double) -> Bool {
        var hasRoom = true
        for sequence in running where sequence.pending > 1 {
            if budget.chunk > 0 {
                let room = tokensThatFit(sequence)
                let wanted = sequence.chunk(atMost: budget)
                let rows = min(wanted, room)
                if rows < wanted { hasRoom = false }
                if rows > 0, reservePages(for: sequence, rows: rows, now: now) {
                    budget.spendChunk(rows, scored: sequence.scoredOffsets(of: rows).count)
                    addEntry(sequence, rows: rows, to: &step)
                }
            }
        }
        return hasRoom
    }

    /// Everybody is prefilling and nobody has a page left: the youngest make room for the oldest.
    private func rescueOldest(_ step: inout StepPlan, _ budget: inout TokenBudget, now: Double) {
        let oldest = running[0]
        while running.count > 1, tokensThatFit(oldest) == 0 { retractYoungest(now: now) }
        let rows = min(oldest.chunk(atMost: budget), tokensThatFit(oldest))
        if rows > 0, reservePages(for: oldest, rows: rows, now: now) {
            budget.spendChunk(rows, scored: oldest.scoredOffsets(of: rows).count)
            addEntry(oldest, rows: rows, to: &step)
        }
    }

    /// Rows for which the sequence has slots, or could get pages without retracting anybody.
    func tokensThatFit(_ sequence: SequenceState) -> Int {
        (sequence.held.table.count + availablePages) * configuration.pageSize - sequence.fed
    }

    /// Pages that can be had without retracting anybody.
    var availablePages: Int { cache.pool.free + cache.pool.cached }

    func reservePages(for sequence: SequenceState, rows: Int, now: Double) -> Bool {
        let missing = pages(for: sequence.fed + rows) - sequence.held.table.count
        return missing <= 0 || cache.allocate(missing, for: &sequence.held, now: now)
    }

    func addEntry(_ sequence: SequenceState, rows: Int, to step: inout StepPlan) {
        sequence.plannedRows = rows
        let end = sequence.fed + rows
        step.entries.append(
            StepEntry(
                sequence: sequence.number, tokens: Array(sequence.tokens[sequence.fed..<end]),
                startPosition: sequence.fed, pages: sequence.held.table, samples: end == sequence.tokens.count,
                scored: sequence.scoredOffsets(of: rows)))
    }
}
