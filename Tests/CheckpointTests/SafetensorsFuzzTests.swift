import Checkpoint
import Tensors
import Testing

/// Damaged files: an error or a usable result, never a crash and never a byte outside the file. The bytes lie where
/// memory ends, so that one too many would end the process.
@Suite struct SafetensorsFuzzTests {
    @Test func tenThousandMutationsAreSurvived() throws {
        let rounds = FuzzRounds.count(10_000)
        let first: UInt64 = 0x5AFE_0000
        var accepted = 0
        var changed = 0
        for seed in first..<first + rounds {
            var mutator = ByteMutator(seed: seed)
            let contents = Self.mutated(SafetensorsBytes.small, &mutator)
            let note = Comment(rawValue: "seed \(seed)")
            let guarded = try GuardedBytes(contents)
            do {
                let file = try SafetensorsFile(MappedFile(name: "fuzzed", constant: guarded.bytes))
                try Self.check(file, contents, note)
                accepted += 1
                if file.names != ["a", "b", "empty", "scalar"] { changed += 1 }
            } catch let error as CheckpointError {
                #expect(error.description.hasPrefix("fuzzed, "), note)
            }
            withExtendedLifetime(guarded) {}
        }
        // All three kinds have to occur, or the mutations are too weak or too strong to tell anything.
        #expect(accepted > 500 && accepted < 5_000, "\(accepted) of \(rounds) accepted")
        #expect(changed > 50, "\(changed) of \(accepted) accepted with other tensors")
    }

    /// What an accepted file promises: the tensors cover the data, each with the bytes of its shape, all readable.
    private static func check(_ file: SafetensorsFile, _ contents: [UInt8], _ note: Comment) throws {
        var covered: [Range<Int>] = []
        for name in file.names {
            let information = try #require(file.information(name), note)
            #expect(information.bytes.lowerBound >= 8 && information.bytes.upperBound <= contents.count, note)
            covered.append(information.bytes)
            guard information.dtype != nil else {
                #expect(throws: CheckpointError.self, note) { try file.tensor(name) }
                continue
            }
            let view = try file.tensor(name)
            #expect(view.elementCount * view.dtype.byteCount == information.bytes.count, note)
            #expect(view.bytes.elementsEqual(contents[information.bytes]), note)
        }
        covered.sort { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }
        #expect(zip(covered, covered.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound }, note)
        if let last = covered.last { #expect(last.upperBound == contents.count, note) }
    }

    private static func mutated(_ original: [UInt8], _ mutator: inout ByteMutator) -> [UInt8] {
        let length = original.count - 36 - 8
        var header = Array(original[8..<8 + length])
        var data = Array(original[(8 + length)...])
        var field = Array(original[..<8])
        for _ in 0...mutator.below(3) {
            switch mutator.below(8) {
            case 0: field[mutator.below(8)] = UInt8(mutator.below(256))
            case 1: mutator.damage(&data)
            case 2: if !data.isEmpty { data[mutator.below(data.count)] &+= 1 }
            case 3, 4: mutator.damage(&header)
            default: mutator.lie(in: &header)
            }
        }
        // With its length right, a damaged header is read further than with a wrong one.
        if mutator.below(4) > 0 { field = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) } }
        var contents = field + header + data
        if mutator.below(16) == 0 { mutator.damage(&contents) }
        return contents
    }

    @Test func aFileCutAtAnyByteIsRefusedAndSaysWhere() throws {
        let whole = SafetensorsBytes.small
        let data = whole.count - 36
        for count in 0..<whole.count {
            let guarded = try GuardedBytes(Array(whole.prefix(count)))
            let error = #expect(throws: CheckpointError.self, "cut to \(count) bytes") {
                try SafetensorsFile(MappedFile(name: "cut", constant: guarded.bytes))
            }
            let text = error?.description ?? ""
            switch count {
            case ..<8:
                #expect(text.hasPrefix("cut, bytes 0..<8: expected a length of 8 bytes, found a file of \(count)"))
            case ..<data:
                #expect(text.hasPrefix("cut, bytes 0..<8: expected a header length of at most \(count - 8), found"))
            default:
                // The first of the header's tensors that ends behind the cut.
                let (name, range) =
                    count < data + 24 ? ("a", 0..<24) : count < data + 32 ? ("b", 24..<32) : ("scalar", 32..<36)
                let bytes = "\(data + range.lowerBound)..<\(data + range.upperBound)"
                #expect(
                    text.hasPrefix(
                        "cut, tensor \(name), bytes \(bytes): expected bytes within the file, which ends at \(count), ")
                )
            }
            withExtendedLifetime(guarded) {}
        }
    }

    /// The header ends early, and its length field agrees.
    @Test func aHeaderCutAtAnyByteIsRefused() throws {
        let whole = SafetensorsBytes.small
        let header = whole[8..<whole.count - 36]
        // Three spaces follow the closing brace.
        for count in 0..<header.count - 3 {
            let contents =
                (0..<8).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) } + header.prefix(count) + whole.suffix(36)
            let guarded = try GuardedBytes(contents)
            let error = #expect(throws: CheckpointError.self, "header of \(count) bytes") {
                try SafetensorsFile(MappedFile(name: "cut", constant: guarded.bytes))
            }
            #expect(error?.description.hasPrefix(count == 0 ? "cut, bytes 8..<9: " : "cut, byte \(8 + count)") == true)
            withExtendedLifetime(guarded) {}
        }
    }
}
