import Checkpoint
import Tensors
import Testing

/// GGUF files against the format's reference implementation; see Tools/make_gguf_goldens.py.
@Suite struct GGUFTests {
    private static let fixtures = String(#filePath.dropLast("GGUFTests.swift".count)) + "Fixtures/gguf/"

    @Test func blocksOfEveryTypeAreWidenedBitForBit() throws {
        let model = try GGUFFile([MappedFile(path: Self.fixtures + "blocks.gguf")], dtype: .float32)
        let expected = try SafetensorsFile(MappedFile(path: Self.fixtures + "blocks.safetensors"))
        #expect(model.names == expected.names)
        #expect(model.names.count == 13)
        for name in model.names {
            let view = try model.tensor(name)
            let reference = try expected.tensor(name)
            #expect(view.shape == reference.shape && view.dtype == .float32)
            #expect(model.information(name)?.typeName == name)
            let values = try #require(view.floats()).map(\.bitPattern)
            #expect(values == (try #require(reference.floats())).map(\.bitPattern), "\(name)")
        }
    }

    @Test func blocksAreRoundedToTheTypeAskedFor() throws {
        let file = try MappedFile(path: Self.fixtures + "blocks.gguf")
        let exact = try GGUFFile([file], dtype: .float32)
        let rounded = try GGUFFile([file])
        let view = try rounded.tensor("Q4_K")
        #expect(view.dtype == .bfloat16 && rounded.information("Q4_K")?.dtype == .bfloat16)
        let values = try #require(exact.tensor("Q4_K").floats())
        #expect(view.floats() == values.map { HalfFloats.rounded($0, to: .bfloat16) })
    }

    @Test func otherFilesAreNamed() throws {
        func error(_ contents: [UInt8]) throws -> String {
            let directory = try TemporaryDirectory(["m.gguf": contents])
            let result = Result { () throws(CheckpointError) in try ModelFiles.at(directory.path + "/m.gguf") }
            guard case .failure(let error) = result else { return "no error" }
            return error.description
        }
        let good = try #require(try ModelFiles.directory(Self.fixtures).contents(of: "blocks.gguf"))
        #expect(try error(Array("PK".utf8)).contains("m.gguf, bytes 0..<2: expected 4 bytes of \"GGUF\""))
        #expect(try error(Array("nonsense".utf8)).contains("this is no GGUF file"))
        #expect(try error(Array(good.prefix(4)) + [9, 0, 0, 0] + good.dropFirst(8)).contains("version 9"))
        #expect(try error(Array(good.prefix(4)) + [0, 0, 0, 3] + good.dropFirst(8)).contains("big-endian"))
        #expect(try error(Array(good.dropLast(2000))).contains("which ends at"))
        // A model without a vocabulary.
        #expect(try error(good).contains("tokenizer.ggml.model"))
        var other = good
        let place = try #require(good.indices.first { good[$0...].starts(with: Array("llama".utf8)) })
        other.replaceSubrange(place..<place + 5, with: Array("bloom".utf8))
        #expect(try error(other).contains("\"bloom\" is not supported; GGUF files of llama, qwen2, qwen2moe"))
    }

    @Test func aLaterPartOfASplitModelNamesTheFirst() throws {
        let directory = try TemporaryDirectory(["m-00002-of-00003.gguf": [], "m-00001-of-00003.gguf": []])
        let later = #expect(throws: CheckpointError.self) {
            try ModelFiles.at(directory.path + "/m-00002-of-00003.gguf")
        }
        #expect(later?.description.contains("give the first part, \(directory.path)/m-00001-of-00003.gguf") == true)
        let missing = #expect(throws: CheckpointError.self) { try ModelFiles.at(directory.path) }
        #expect(missing?.description.contains("m-00003-of-00003.gguf") == true)
    }

    /// An error or a readable model, never a byte outside the file, never memory that the file does not have.
    @Test(arguments: ["blocks.gguf", "stories-vocabulary.gguf"])
    func mutatedFilesAreSurvived(_ name: String) throws {
        let contents = try #require(try ModelFiles.directory(Self.fixtures).contents(of: name))
        var accepted = 0
        let rounds = FuzzRounds.count(5_000)
        for seed in 0..<rounds {
            var mutator = ByteMutator(seed: 0x66F0_0000 + seed)
            var mutated = contents
            // Most of the file is data; what is checked stands in front.
            var head = Array(mutated.prefix(1_500))
            for _ in 0..<1 + mutator.below(3) {
                if mutator.below(2) == 0, !head.isEmpty {
                    let place = mutator.below(head.count)
                    head[place] = mutator.element(of: [0, 1, 0x7F, 0x80, 0xFF, head[place] &+ 1])
                } else {
                    mutator.damage(&head)
                }
            }
            mutated.replaceSubrange(..<min(1_500, mutated.count), with: head)
            let guarded = try GuardedBytes(mutated)
            let result = Result { () throws(CheckpointError) in
                try GGUFFile([MappedFile(name: "fuzzed", constant: guarded.bytes)])
            }
            switch result {
            case .success(let model):
                for name in model.names {
                    _ = try? model.tensor(name)
                    guard let matrix = try? model.coded(name), matrix.outputs > 0 else { continue }
                    let rows = CodedRows(matrix, count: min(3, matrix.outputs))
                    matrix.read(from: matrix.outputs - rows.count, into: rows)
                    matrix.release(0..<matrix.outputs)
                }
                accepted += 1
            case .failure(let error): #expect(error.description.hasPrefix("fuzzed"), "seed \(seed): \(error)")
            }
            withExtendedLifetime(guarded) {}
        }
        #expect(accepted > 50 && accepted < rounds - 50, "\(accepted) accepted")
    }
}
