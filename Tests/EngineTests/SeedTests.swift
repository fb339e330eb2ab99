import Engine
import EngineInterface
import Testing

struct SeedTests {
    private static let prompt = Demo.prompt(30, seed: 21)

    private static func sampled(_ id: String, seed: UInt64?) -> GenerationRequest {
        Demo.request(id, prompt, tokens: 24) {
            $0.temperature = 2
            $0.seed = seed
        }
    }

    @Test func sameSeedSameText() async throws {
        try await Demo.withEngine { engine in
            let alone = try await engine.answer(Self.sampled("alone", seed: 5))
            let noise = (0..<20 as Range<Int>).map { Self.sampled("noise-\($0)", seed: nil) }
            let batch = try await engine.answers(
                Array(noise.prefix(7)) + [Self.sampled("batched", seed: 5)] + noise.dropFirst(7))
            #expect(alone.tokens.count == 24)
            #expect(batch[7].ids == alone.ids)
        }
        // Another engine, whose own seed is another.
        try await Demo.withEngine({ $0.randomSeed = 99 }) { engine in
            let first = try await engine.answer(Self.sampled("first", seed: 5))
            let other = try await Demo.withEngine { try await $0.answer(Self.sampled("other", seed: 5)) }
            #expect(first.ids == other.ids)
        }
    }

    @Test func otherSeedOtherText() async throws {
        try await Demo.withEngine { engine in
            let requests = (0..<8 as Range<UInt64>).map { Self.sampled("seed-\($0)", seed: $0) }
            let answers = try await engine.answers(requests)
            #expect(Set(answers.map(\.ids)).count == 8)
        }
    }

    /// Without a seed each request draws its own; the engine's seed makes a run repeatable.
    @Test func engineSeed() async throws {
        func run(_ seed: UInt64?) async throws -> [[Int32]] {
            try await Demo.withEngine({ $0.randomSeed = seed }) { engine in
                var texts: [[Int32]] = []
                for index in 0..<3 {
                    texts.append(try await engine.answer(Self.sampled("text-\(index)", seed: nil)).ids)
                }
                return texts
            }
        }
        let first = try await run(1)
        #expect(Set(first).count == 3)
        #expect(try await run(1) == first)
        #expect(try await run(2) != first)
        #expect(try await run(nil) != run(nil))
    }

    @Test func uniformNumbersAreUniform() {
        // Chi-square with 63 degrees of freedom: its mean is 63, its standard deviation 11.2; 130 is six of them off.
        for seed: UInt64 in [0, 1, 2, .max, 1 << 63, 0x9E37_79B9_7F4A_7C15] {
            let stream = RandomStream(seed: seed)
            var counts = [Int](repeating: 0, count: 64)
            let draws = 65536
            for index in 0..<draws {
                let value = stream.uniform(at: index)
                #expect(value >= 0 && value < 1)
                counts[Int(value * 64)] += 1
            }
            let expected = Double(draws) / 64
            let chiSquare = counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
            #expect(chiSquare > 15 && chiSquare < 130, "seed \(seed): \(chiSquare)")
        }
    }

    /// Neighbouring positions and neighbouring seeds do not follow each other.
    @Test func uniformNumbersAreIndependent() {
        let count = 20000
        func correlation(_ a: [Float], _ b: [Float]) -> Double {
            var sum = 0.0
            for (x, y) in zip(a, b) { sum += (Double(x) - 0.5) * (Double(y) - 0.5) * 12 }
            return sum / Double(count)
        }
        func draws(_ seed: UInt64, from first: Int = 0) -> [Float] {
            (first..<first + count).map { RandomStream(seed: seed).uniform(at: $0) }
        }
        // The standard deviation is 1 / √20000 = 0.007.
        let limit = 0.04
        for seed: UInt64 in [0, 1, 41, 1000] {
            let own = draws(seed)
            for lag in 1...5 { #expect(abs(correlation(own, draws(seed, from: lag))) < limit, "\(seed) +\(lag)") }
            for step: UInt64 in [1, 2, 64] {
                #expect(abs(correlation(own, draws(seed + step))) < limit, "\(seed) and \(seed + step)")
            }
        }
        // The first number of each seed, which is what short answers are made of.
        let firsts = (0..<UInt64(count)).map { RandomStream(seed: $0).uniform(at: 0) }
        #expect(abs(correlation(firsts, Array(firsts.dropFirst()) + [0.5])) < limit)
    }

    @Test func derivedSeedsDiffer() {
        var seeds: Set<UInt64> = []
        for base in 0..<UInt64(20) {
            for sequence in 0..<500 { seeds.insert(RandomStream.derivedSeed(base: base, sequence: sequence)) }
        }
        #expect(seeds.count == 20 * 500)
    }
}
