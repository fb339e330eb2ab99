import LoadBench
import Statistics
import Testing

struct ArrivalTests {
    /// Gaps of a Poisson process are exponential: mean and deviation are 1 / rate, and a share of 1 - 1/e is shorter
    /// than the mean.
    @Test func arrivalsAreAPoissonProcess() {
        let items = Array(repeating: WorkItem(prompt: .text(""), promptTokens: 1, outputTokens: 1), count: 20_000)
        let times = Arrivals.poisson(rate: 50).times(of: items, seed: 42)
        #expect(times[0] == 0)
        let gaps = Distribution(zip(times.dropFirst(), times).map { $0 - $1 })
        #expect(gaps.sorted.allSatisfy { $0 >= 0 })
        #expect(abs(gaps.mean - 0.02) < 0.0006)
        #expect(abs(gaps.deviation - 0.02) < 0.0008)
        let short = Double(gaps.sorted.count { $0 < 0.02 }) / Double(gaps.count)
        #expect(abs(short - 0.6321) < 0.012)
        #expect(times == Arrivals.poisson(rate: 50).times(of: items, seed: 42))
        #expect(times != Arrivals.poisson(rate: 50).times(of: items, seed: 43))
    }
}
