import EngineInterface
import PrefixCache

extension Scheduler {
    /// Takes the pages of the request that was admitted last. What it has fed is published, so until that is evicted
    /// it resumes where it was; what it has generated is kept and never generated again.
    func retractYoungest(now: Double) {
        guard let sequence = running.popLast() else { return }
        precondition(sequence.plannedRows == 0, "a sequence of the step being planned cannot be retracted")
        releasePages(of: sequence, now: now)
        sequence.fed = 0
        sequence.phase = .waiting
        queue.insert(sequence)
        counters.retractions += 1
    }
}
