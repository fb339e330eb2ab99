import EngineInterface
import PrefixCache

extension Scheduler {
    /// Takes in what the step gave: publishes what was fed, appends the sampled tokens, ends what has ended.
    ///
    /// - Parameter result: one sample for each entry of the plan that samples, in order.
    /// - Returns: `started` of the newly admitted, then tokens and ends in the order of the plan.
    package func commit(_ result: StepResult, now: Double) -> [SchedulerEvent] {
        precondition(!outstanding.isEmpty, "commit without a plan")
        learnSpeed(now: now)
        var events = takeEvents()
        var samples = result.samples.makeIterator()
        var scores = result.scores[...]
        var hasEnded = false
        for sequence in outstanding {
            let scored = sequence.scoredOffsets(of: sequence.plannedRows).count
            precondition(scores.count >= scored, "the result lacks scores")
            sequence.scores += scores.prefix(scored)
            scores = scores.dropFirst(scored)
            sequence.fed += sequence.plannedRows
            sequence.plannedRows = 0
            publish(sequence, now: now)
            pinWhatIsWanted(sequence, now: now)
            guard sequence.pending == 0 else { continue }
            guard let sample = samples.next(), sample.sequence == sequence.number else {
                preconditionFailure("the result has no sample for sequence \(sequence.number)")
            }
            if let report = sequence.takeScores() { events.append(event(sequence, report)) }
            if let reason = take(sample, of: sequence, &events) {
                releasePages(of: sequence, now: now)
                sequence.phase = .waiting
                hasEnded = true
                counters.finishedRequests += 1
                events.append(end(sequence, reason))
            }
        }
        precondition(samples.next() == nil, "the result has more samples than the plan asked for")
        outstanding.removeAll(keepingCapacity: true)
        noteFreedPages()
        if hasEnded { running.removeAll { $0.phase != .running } }
        counters.steps += 1
        assert(accountingHolds, "free + cached + leased != total")
        return events
    }

    /// - Returns: why the generation ends, if it does.
    private func take(
        _ sample: StepResult.Sample, of sequence: SequenceState, _ events: inout [SchedulerEvent]
    ) -> FinishReason? {
        // Only the prompt was wanted.
        if sequence.newTokenLimit == 0 { return .length }
        counters.generatedTokens += 1
        events.append(event(sequence, .token(sample.token)))
        var reason = sequence.append(sample.token.id)
        var forced = sample.forced[...]
        while reason == nil, let id = forced.popFirst() {
            counters.generatedTokens += 1
            counters.forcedTokens += 1
            sequence.forcedTokens += 1
            events.append(event(sequence, .token(GeneratedToken(id: id))))
            reason = sequence.append(id)
        }
        // A text that is complete with its last token was not cut off.
        if sample.isComplete, forced.isEmpty, reason == nil || reason == .length { return .complete }
        return reason
    }

    private func publish(_ sequence: SequenceState, now: Double) {
        guard let lease = sequence.lease.take() else { return }
        let grown = cache.publish(
            sequence.tokens, count: sequence.fed, namespace: sequence.namespace, held: &sequence.held, lease: lease,
            now: now)
        if sequence.priority != 0 { cache.raisePriority(of: grown, to: sequence.priority) }
        sequence.lease = consume grown
        notePublished(sequence)
    }

    private func learnSpeed(now: Double) {
        let rows = outstanding.reduce(0) { $0 + $1.plannedRows }
        let decoding = outstanding.count { $0.plannedRows == 1 }
        pacing.learn(seconds: now - plannedAt, decodingRows: decoding, promptRows: rows - decoding)
    }
}
