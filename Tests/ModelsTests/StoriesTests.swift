import Checkpoint
import Compute
import FoundationEssentials
import Models
import Testing

/// A real language model: text that reads well does not come out of a wrong rotary embedding, mask or cache slot.
@Suite struct StoriesTests {
    @Test(arguments: TestBackend.all)
    func greedyDecodingTellsTheKnownStory(backend: TestBackend) throws {
        guard let files = SharedFiles.model("stories260k") else {
            print("SKIPPED: stories260k is not beside the repository (set RADISH_SHARED)")
            return
        }
        let expected = try String(decoding: #require(try files.contents(of: "expected.txt")), as: UTF8.self)
        let run = try ModelRun(files, backend.make(), rows: 16)
        // The known text is 200 generated tokens long: after 199 its last word, " she", is still to come. Hugging Face
        // transformers gives the same on these weights.
        let tokens = run.greedy([1], count: 200, pages: ModelRun.pages(2, tokens: 200))
        let story = try text(tokens, files)
        #expect(story == expected)
    }

    /// The same weights from memory, as those inside the binary are.
    @Test func embeddedFilesGiveTheSameModel() throws {
        guard let files = SharedFiles.model("stories260k") else {
            print("SKIPPED: stories260k is not beside the repository (set RADISH_SHARED)")
            return
        }
        var constants: [(name: String, bytes: UnsafeRawBufferPointer)] = []
        for name in ["config.json", "model.safetensors"] {
            let contents = try #require(try files.contents(of: name))
            // One byte in, so that nothing is aligned; never freed, as the constants of a binary are not.
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: contents.count + 1, alignment: 64)
            let bytes = UnsafeMutableRawBufferPointer(rebasing: memory[1...])
            bytes.copyBytes(from: contents)
            constants.append((name, UnsafeRawBufferPointer(bytes)))
        }
        let embedded = ModelFiles.embedded(constants, description: "test")
        let pages = ModelRun.pages(0, tokens: 30)
        let found = try ModelRun(embedded, TestBackend.processors[0].make()).greedy([1], count: 20, pages: pages)
        let expected = try ModelRun(files, TestBackend.processors[0].make()).greedy([1], count: 20, pages: pages)
        #expect(found == expected)
    }

    private struct TokenizerFile: Decodable {
        struct Model: Decodable { var vocab: [String: Int32] }
        var model: Model
    }

    /// SentencePiece pieces: ▁ is a space, `<0x0A>` a byte, and the first space is not there.
    private func text(_ tokens: [Int32], _ files: ModelFiles) throws -> String {
        let json = try #require(try files.contents(of: "tokenizer.json"))
        let vocabulary = try JSONDecoder().decode(TokenizerFile.self, from: Data(json)).model.vocab
        let pieces = Dictionary(uniqueKeysWithValues: vocabulary.map { ($0.value, $0.key) })
        var bytes: [UInt8] = []
        for token in tokens {
            let piece = try #require(pieces[token])
            if piece.hasPrefix("<0x"), let byte = UInt8(piece.dropFirst(3).dropLast(), radix: 16) {
                bytes.append(byte)
            } else {
                bytes += Array(piece.utf8)
            }
        }
        let text = String(decoding: bytes, as: UTF8.self).split(separator: "▁", omittingEmptySubsequences: false)
            .joined(separator: " ")
        return text.hasPrefix(" ") ? String(text.dropFirst()) : text
    }
}
