import Checkpoint
import Tensors
import TestSupport
import Testing

/// Damaged files: an error or a usable result, never a crash and never a byte outside the file.
@Suite struct SafetensorsFuzzTests {
    private static let seed: UInt64 = 0x5AFE

    @Test func twoThousandMutationsAreSurvived() throws {
        var generator = SeededGenerator(seed: Self.seed)
        var accepted = 0
        for round in 0..<2000 {
            var contents = SafetensorsBytes.small
            for _ in 0..<Int.random(in: 1...3, using: &generator) { mutate(&contents, &generator) }
            let guarded = try GuardedBytes(contents)
            let mapped = MappedFile(name: "fuzzed", constant: guarded.bytes)
            do {
                let file = try SafetensorsFile(mapped)
                for name in file.names {
                    let information = try #require(file.information(name))
                    #expect(information.bytes.upperBound <= contents.count, "seed \(Self.seed), round \(round)")
                    // Every byte is touched: one too many would end the process.
                    guard let view = try? file.tensor(name) else { continue }
                    let sum = view.bytes.reduce(0) { $0 &+ Int($1) }
                    let expected = contents[information.bytes].reduce(0) { $0 &+ Int($1) }
                    #expect(sum == expected, "seed \(Self.seed), round \(round)")
                }
                accepted += 1
            } catch let error as CheckpointError {
                #expect("\(error)".contains("fuzzed"), "seed \(Self.seed), round \(round): \(error)")
            }
            withExtendedLifetime(guarded) {}
        }
        // Changes of data and of names are no errors; most others are. Both kinds have to occur.
        #expect(accepted > 50 && accepted < 1500, "\(accepted) of 2000 accepted")
    }

    private func mutate(_ contents: inout [UInt8], _ generator: inout SeededGenerator) {
        let interesting = Array("{}[]\",:0123456789-.eE\\u\0".utf8)
        guard !contents.isEmpty else { return }
        let place = Int.random(in: 0..<contents.count, using: &generator)
        switch Int.random(in: 0..<10, using: &generator) {
        // The data, and a digit for a digit: files that stay readable, or lie.
        case 8: contents[contents.count - 1 - place % min(36, contents.count)] &+= 1
        case 9:
            let digits = contents.indices.filter { (0x30...0x39).contains(contents[$0]) }
            if let digit = digits.randomElement(using: &generator) {
                contents[digit] = UInt8.random(in: 0x30...0x39, using: &generator)
            }
        case 0: contents[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1: contents[place] = interesting.randomElement(using: &generator) ?? 0
        case 2: contents.removeLast(contents.count - place)
        case 3: contents.append(contentsOf: [UInt8](repeating: 0, count: place % 40))
        case 4: contents.remove(at: place)
        case 5: contents.insert(interesting.randomElement(using: &generator) ?? 0, at: place)
        case 6: contents[place % min(8, contents.count)] = UInt8.random(in: 0...255, using: &generator)
        default:
            let end = min(contents.count, place + Int.random(in: 1...20, using: &generator))
            contents.insert(contentsOf: contents[place..<end], at: place)
        }
    }
}
