import Compute
import Testing

/// Sampling against the sort-based reference on shapes of logits that a partial selection may stumble over.
struct SamplingTests {
    static let paths = CPUBackend.availableKernelPaths()

    private func tensor(_ backend: any Backend, _ rows: [[Float]]) throws -> Tensor {
        let columns = rows[0].count
        let x = try backend.makeTensor(rows: rows.count, columns: columns)
        let table = try backend.packWeight([floatView(rows.flatMap { $0 }, [rows.count, columns])])
        backend.embed((0..<Int32(rows.count)).map { $0 }, table, into: x)
        return x
    }

    /// Names and makers of rows.
    private func logits(_ kind: Int, _ count: Int, _ numbers: inout Numbers) -> [Float] {
        switch kind {
        case 0: return numbers.floats(count, scale: 10)
        case 1: return [Float](repeating: 1.25, count: count)  // all equal
        case 2: return (0..<count).map { _ in Float(numbers.below(4)) }  // many equals
        case 3: return (0..<count).map { _ in numbers.float() * 1e-6 }  // nearly equal
        case 4:  // peaked, with NaN, infinities and an outlier
            var values = numbers.floats(count, scale: 3)
            values[numbers.below(count)] = .nan
            values[numbers.below(count)] = -.infinity
            values[numbers.below(count)] = -3e38
            values[numbers.below(count)] += 8
            return values
        case 5: return [Float](repeating: -.infinity, count: count)
        case 6: return [Float](repeating: .nan, count: count)
        default:  // one sure token
            var values = numbers.floats(count)
            values[numbers.below(count)] = .infinity
            return values
        }
    }

    @Test(arguments: paths)
    func agreesWithASort(path: String) throws {
        let seed = UInt64.random(in: 0..<1 << 32)
        var numbers = Numbers(seed: seed)
        let reference = ReferenceBackend()
        let backend = try CPUBackend(kernels: path, threads: 2, pin: false)
        for count in [1, 5, 16, 100, 3001] {
            let values = (0..<8).map { logits($0, count, &numbers) }
            var rows: [SamplingRow] = []
            for index in 0..<160 {
                var row = SamplingRow(row: index % 8)
                row.temperature = [0, 0.3, 1, 1, 2.5][numbers.below(5)]
                row.topK = [-1, -1, 1, 20, 64, 65, 500, 100_000][numbers.below(8)]
                row.topP = [1, 1, 0.1, 0.5, 0.95, 0][numbers.below(6)]
                row.minP = [0, 0, 0, 0.02, 0.5, 1][numbers.below(6)]
                row.uniform = Float(numbers.below(1 << 24)) * 0x1p-24
                if numbers.below(2) == 0 {
                    // From nearly none to all.
                    let share = [2, 50, 99, 101][numbers.below(4)]
                    row.allowed = [UInt64](repeating: 0, count: (count + 63) / 64)
                    for id in 0..<count where numbers.below(100) < share {
                        row.allowed[id >> 6] |= 1 << UInt64(id & 63)
                    }
                    if row.allowed.allSatisfy({ $0 == 0 }) { row.allowed[0] = 1 }
                }
                if numbers.below(2) == 0 {
                    row.biases = (0..<3).map { _ in (id: Int32(numbers.below(count + 2)), value: numbers.float() * 4) }
                    row.repeated = [Int32(numbers.below(count))]
                    row.repetitionPenalty = 1.3
                    row.counts = [(id: Int32(numbers.below(count)), count: 2)]
                    row.frequencyPenalty = 0.5
                    row.presencePenalty = 0.25
                }
                row.topLogprobs = numbers.below(3) == 0 ? numbers.below(6) : nil
                rows.append(row)
            }
            let expected = reference.sample(try tensor(reference, values), rows)
            let found = backend.sample(try tensor(backend, values), rows)
            var different = 0
            for (index, (a, b)) in zip(expected, found).enumerated() {
                // The mass before a token differs in its last bits, and a draw may fall between: rarely.
                if a.id != b.id { different += 1 }
                if rows[index].temperature <= 0 { #expect(a.id == b.id, "seed \(seed) row \(rows[index])") }
                #expect(a.top.map(\.id) == b.top.map(\.id), "seed \(seed) row \(rows[index])")
                for (x, y) in zip(a.top, b.top) { #expect(close(x.logprob, y.logprob)) }
                if a.id == b.id { #expect((a.logprob == nil) == (b.logprob == nil)) }
                if a.id == b.id, let x = a.logprob, let y = b.logprob { #expect(close(x, y), "\(x) \(y)") }
            }
            // About one of 160 is usual; a wrong filter or order would change most.
            #expect(different <= 10, "seed \(seed), \(count) logits: \(different) of \(rows.count) draws differ")
        }
    }

    private func close(_ a: Float, _ b: Float) -> Bool { a == b || abs(a - b) <= 1e-5 * max(1, abs(a)) }

    /// A filter keeps what it says, counted over many draws.
    @Test(arguments: paths)
    func drawsFollowTheDistribution(path: String) throws {
        let backend = try CPUBackend(kernels: path, threads: 1, pin: false)
        var values = [Float](repeating: -20, count: 4000)
        // 0.5, 0.25, 0.15, 0.1 at these ids.
        for (id, p) in [(17, 0.5), (1900, 0.25), (1901, 0.15), (3999, 0.1)] as [(Int, Double)] {
            values[id] = Float(logarithm(p)) + 10
        }
        let x = try tensor(backend, [values])
        let draws = 4000
        func frequencies(_ change: (inout SamplingRow) -> Void) -> [Int32: Double] {
            let rows = (0..<draws).map { index in
                var row = SamplingRow(row: 0)
                row.uniform = (Float(index) + 0.5) / Float(draws)
                change(&row)
                return row
            }
            let drawn = Dictionary(grouping: backend.sample(x, rows), by: \.id)
            return drawn.mapValues { Double($0.count) / Double(draws) }
        }
        func expect(_ found: [Int32: Double], _ expected: [Int32: Double], _ what: String) {
            #expect(Set(found.keys) == Set(expected.keys), "\(what): \(found)")
            for (id, p) in expected { #expect(abs((found[id] ?? 0) - p) < 0.002, "\(what): \(found)") }
        }
        expect(frequencies { _ in }, [17: 0.5, 1900: 0.25, 1901: 0.15, 3999: 0.1], "all")
        expect(frequencies { $0.topK = 2 }, [17: 2.0 / 3, 1900: 1.0 / 3], "top-k")
        expect(frequencies { $0.topP = 0.8 }, [17: 5.0 / 9, 1900: 2.5 / 9, 1901: 1.5 / 9], "top-p")
        expect(frequencies { $0.minP = 0.4 }, [17: 2.0 / 3, 1900: 1.0 / 3], "min-p")
        expect(
            frequencies {
                $0.topK = 3; $0.topP = 0.5
            }, [17: 1], "top-p of what top-k keeps")
    }

    @Test(arguments: paths)
    func aVocabularyOfRealSize(path: String) throws {
        var numbers = Numbers(seed: 5)
        let count = 151_936
        let values = (0..<3).map { kind in
            kind == 0 ? numbers.floats(count) : numbers.floats(count).map { $0 * $0 * $0 * 12 }
        }
        let reference = ReferenceBackend()
        let backend = try CPUBackend(kernels: path, threads: 2, pin: false)
        var rows: [SamplingRow] = []
        for index in 0..<9 {
            var row = SamplingRow(row: index % 3)
            row.uniform = [0, 0.4, 0.999][index / 3]
            row.topK = index == 4 ? 1000 : -1
            row.topP = index == 7 ? 0.9 : 1
            rows.append(row)
        }
        let expected = reference.sample(try tensor(reference, values), rows)
        let found = backend.sample(try tensor(backend, values), rows)
        // Tokens of a flat distribution are 1e-5 apart in mass; compare places by their logits.
        for (index, (a, b)) in zip(expected, found).enumerated() {
            let row = values[rows[index].row]
            #expect(abs(row[Int(a.id)] - row[Int(b.id)]) < 1e-3, "row \(index): \(a.id) and \(b.id)")
        }
    }
}

/// Natural logarithm by its series, to keep the test free of C imports.
private func logarithm(_ x: Double) -> Double {
    let z = (x - 1) / (x + 1)
    var (sum, power) = (0.0, z)
    for n in stride(from: 1, to: 200, by: 2) {
        sum += power / Double(n)
        power *= z * z
    }
    return 2 * sum
}
