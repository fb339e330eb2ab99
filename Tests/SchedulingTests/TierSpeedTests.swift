import EngineInterface
import PrefixCache
import Scheduling
import Testing

/// Whether pages are read from a tier is decided by what was measured.
struct TierSpeedTests {
    /// A tier that has everything, on a machine that computes 1,000 tokens a second.
    private struct Machine {
        let scheduler: Scheduler
        var now = 0.0
        /// Seconds that reading one page takes.
        var readSeconds: Double
        private(set) var loads = 0
        private var next: Int32 = 0

        init(readSeconds: Double) {
            var configuration = SchedulerConfiguration(totalPages: 2000, contextLength: 4000, vocabularySize: 1 << 20)
            configuration.tiers = TierSettings(fingerprint: TierFingerprint(parts: []), names: [.disk])
            scheduler = Scheduler(configuration)
            self.readSeconds = readSeconds
        }

        /// Serves a request with a prompt that is not in the pool, and whose first 10 pages the tier has.
        mutating func serve(found: Int = 10) throws {
            next += 1000
            let first = next
            _ = try scheduler.submit(
                request("\(first)", (0..<200).map { first + $0 }, maxTokens: 1), now: now)
            while scheduler.hasWork {
                for order in scheduler.takeTierOrders() {
                    switch order {
                    case .probe(let fetch, let keys):
                        scheduler.probed(
                            fetch: fetch, tiers: Array(repeating: 0, count: min(found, keys.count)), seconds: 1e-4,
                            now: now)
                    case .load(let fetch, let pages):
                        loads += 1
                        let seconds = readSeconds * Double(pages.count)
                        now += seconds
                        scheduler.loaded(fetch: fetch, pages: pages.count, seconds: [seconds], now: now)
                    default: break
                    }
                }
                guard let plan = scheduler.plan(now: now) else { continue }
                now += 0.001 * Double(plan.rowCount)
                let samples = plan.entries.filter(\.samples).map {
                    StepResult.Sample(sequence: $0.sequence, token: GeneratedToken(id: 1))
                }
                _ = scheduler.commit(StepResult(samples: samples), now: now)
            }
        }
    }

    @Test func aFastTierIsAlwaysRead() throws {
        var machine = Machine(readSeconds: 0.001)
        for _ in 0..<20 { try machine.serve() }
        #expect(machine.loads == 20)
        #expect(machine.scheduler.statistics.tiers[0].slowerPages == 0)
        #expect(machine.scheduler.statistics.tiers[0].hitTokens == 20 * 160)
    }

    /// 16 tokens are computed in 16 ms.
    @Test func aTierThatIsSlowerThanComputingIsReadOnceInAWhileOnly() throws {
        var machine = Machine(readSeconds: 0.02)
        try machine.serve()
        #expect(machine.loads == 1, "nothing was known")
        for _ in 0..<32 { try machine.serve() }
        #expect(machine.loads == 1)
        #expect(machine.scheduler.statistics.tiers[0].slowerPages == 320)
        // It has become faster; the trial finds out.
        machine.readSeconds = 0.001
        for _ in 0..<200 { try machine.serve() }
        #expect(machine.loads > 40, "\(machine.loads)")
    }
}
