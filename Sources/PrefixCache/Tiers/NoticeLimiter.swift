import Synchronization

/// Lets the first notice of a kind through at once and then at most one in `seconds`, which counts those held back: a
/// full disk is a line in the log, not a flood.
package final class NoticeLimiter: Sendable {
    private struct Kind {
        var lastAt: Double
        var heldBack = 0
    }
    private let seconds: Double
    private let now: @Sendable () -> Double
    private let report: TierReport
    private let kinds = Mutex<[String: Kind]>([:])

    /// - Parameter now: seconds on any clock.
    package init(every seconds: Double = 10, now: @escaping @Sendable () -> Double, report: @escaping TierReport) {
        self.seconds = seconds
        self.now = now
        self.report = report
    }

    package func warn(_ kind: String, tier: String, _ text: String) {
        let time = now()
        let heldBack: Int? = kinds.withLock { kinds in
            if let known = kinds[kind], time - known.lastAt < seconds {
                kinds[kind]?.heldBack += 1
                return nil
            }
            let count = kinds[kind]?.heldBack ?? 0
            kinds[kind] = Kind(lastAt: time)
            return count
        }
        guard let heldBack else { return }
        let more = heldBack > 0 ? " (and \(heldBack) more of this kind since)" : ""
        report(TierNotice(.warning, tier: tier, text + more))
    }
}
