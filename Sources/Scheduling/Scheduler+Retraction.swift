import EngineInterface
import PrefixCache

extension Scheduler {
    /// All running requests wait again. Between a `commit` and the next `plan`.
    package func retractAll(now: Double) {
        requireNoStep("retractAll")
        while !running.isEmpty { retractYoungest(now: now) }
    }

    /// Takes the pages of the request that was admitted last. What it has fed is published, so until that is evicted
    /// it resumes where it was; what it has generated is kept and never generated again.
    func retractYoungest(now: Double) {
        guard let sequence = running.last else { return }
        retract(sequence, now: now)
        counters.retractions += 1
    }

    func retract(_ sequence: SequenceState, now: Double) {
        precondition(sequence.plannedRows == 0, "a sequence of the step being planned cannot be retracted")
        running.removeAll { $0 === sequence }
        releasePages(of: sequence, now: now)
        sequence.fed = 0
        sequence.phase = .waiting
        queue.insert(sequence)
        beginFetch(sequence, now: now)
    }
}
