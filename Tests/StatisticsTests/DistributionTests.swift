import Statistics
import Testing

struct DistributionTests {
    /// Against numpy.percentile, numpy.std of the same numbers.
    @Test func statisticsAreThoseOfNumPy() {
        let values = Distribution([15, 20, 35, 40, 50])
        #expect(abs(values.percentile(40) - 29) < 1e-12)
        #expect(abs(values.percentile(90) - 46) < 1e-12)
        #expect(abs(values.percentile(99) - 49.6) < 1e-12)
        #expect(values.median == 35)
        #expect(abs(values.mean - 32) < 1e-12)
        #expect(abs(values.deviation - 12.884098726725126) < 1e-12)
        #expect(Distribution([4, 1]).median == 2.5)
        #expect(Distribution([7]).percentile(99) == 7)
    }

    @Test func anEmptySampleIsZero() {
        let empty = Distribution([])
        #expect(empty.mean == 0 && empty.percentile(99) == 0 && empty.deviation == 0 && empty.maximum == 0)
    }
}
