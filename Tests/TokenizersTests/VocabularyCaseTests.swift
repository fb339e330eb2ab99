import FoundationEssentials
import Glibc
import Testing
import Tokenizers

/// Real vocabularies against what the reference implementations made of the same texts.
struct VocabularyCaseTests {
    private static let vocabularies = [
        "bert-bge", "deepseek-llm", "gemma-4", "gpt-2", "llama-bpe", "llama-spm", "qwen2", "starcoder",
    ]

    private struct EncodeCase: Decodable {
        var text: String
        var ids: [Int32]
    }

    private struct RoundTripCase: Decodable {
        var text: String
        var ids: [Int32]
        var ids_with_special: [Int32]
        var decoded: String
        var decoded_skip_special: String
    }

    @Test(arguments: vocabularies)
    func encodesAndDecodesAsTheReferencesDo(name: String) throws {
        let folder = Self.shared + "/cases/tokenizers/" + name
        guard access(folder, R_OK) == 0 else {
            print("SKIPPED: \(folder) is not there")
            return
        }
        let tokenizer = try Tokenizer(json: Self.unpacked(folder + "/tokenizer.json.gz"))
        var cases = 0
        for line in try Self.lines(folder + "/encode.jsonl") {
            let expected = try JSONDecoder().decode(EncodeCase.self, from: Data(line))
            // These expectations treat the text as plain.
            let ids = tokenizer.encode(expected.text, addSpecialTokens: false, parseSpecial: false)
            #expect(ids == expected.ids, "\(name): \(expected.text.debugDescription)")
            cases += 1
        }
        for line in try Self.lines(folder + "/roundtrip.jsonl") {
            let expected = try JSONDecoder().decode(RoundTripCase.self, from: Data(line))
            let about: Comment = "\(name): \(expected.text.debugDescription)"
            #expect(tokenizer.encode(expected.text, addSpecialTokens: false) == expected.ids, about)
            #expect(tokenizer.encode(expected.text, addSpecialTokens: true) == expected.ids_with_special, about)
            for (ids, skip, text) in [
                (expected.ids, false, expected.decoded),
                (expected.ids_with_special, true, expected.decoded_skip_special),
            ] {
                let whole = tokenizer.decode(ids, skipSpecialTokens: skip)
                #expect(Array(whole.utf8) == Array(text.utf8), about)
                var stream = StreamingDetokenizer(tokenizer, skipSpecialTokens: skip)
                var pieces = ""
                for id in ids { pieces += stream.append(id) }
                pieces += stream.finish()
                #expect(Array(pieces.utf8) == Array(whole.utf8), about)
            }
            cases += 1
        }
        #expect(cases > 100)
    }

    private static let shared: String = {
        if let folder = getenv("RADISH_SHARED") { return String(cString: folder) }
        return #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(4).joined(separator: "/")
            + "/shared"
    }()

    private static func lines(_ path: String) throws -> [[UInt8]] {
        let file = try #require(fopen(path, "rb"))
        defer { fclose(file) }
        return readAll(file).split(separator: UInt8(ascii: "\n")).map(Array.init)
    }

    private static func unpacked(_ path: String) throws -> [UInt8] {
        let pipe = try #require(popen("gzip -dc '\(path)'", "r"))
        defer { pclose(pipe) }
        return readAll(pipe)
    }

    private static func readAll(_ file: UnsafeMutablePointer<FILE>) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { return bytes }
            bytes.append(contentsOf: buffer[..<count])
        }
    }
}
