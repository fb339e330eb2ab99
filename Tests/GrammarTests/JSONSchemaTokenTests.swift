import Glibc
import Grammar
import TestSupport
import Testing
import Tokenizers

/// The cases once more, with real vocabularies: as the tokenizer cuts the text, and cut at random into other tokens of
/// the same vocabulary. Each token must be in the mask.
struct JSONSchemaTokenTests {
    @Test(arguments: ["gpt-2", "llama-spm"])
    func verdictsHoldTokenByToken(name: String) throws {
        let path = JSONSchemaCase.sharedFolder + "/cases/tokenizers/\(name)/tokenizer.json.gz"
        guard let cases = try JSONSchemaCase.load(), access(path, R_OK) == 0 else {
            print("SKIPPED: cases/json-schema or \(path) is not beside the repository (set RADISH_SHARED)")
            return
        }
        let tokenizer = try Tokenizer(json: try Self.unpacked(path))
        let ends = [Int32(tokenizer.vocabularySize)]
        let vocabulary = TokenVocabulary(
            size: tokenizer.vocabularySize + 1, endTokens: ends, specialTokens: tokenizer.specialTokenIDs
        ) { tokenizer.bytes(ofID: $0) }
        var ids: [[UInt8]: Int32] = [:]
        for id in 0..<Int32(tokenizer.vocabularySize) {
            if let bytes = tokenizer.bytes(ofID: id), !bytes.isEmpty { ids[bytes] = id }
        }
        var random = SeededGenerator(seed: 5)
        var judged = 0
        for entry in cases {
            guard let ir = try? JSONSchemaCompiler.compile(json: entry.schema, options: .verdict) else { continue }
            let grammar = try CompiledGrammar(ir, vocabulary: vocabulary)
            for (text, isValid) in entry.valid.map({ ($0, true) }) + entry.invalid.map({ ($0, false) }) {
                let usual = tokenizer.encode(
                    String(decoding: text, as: UTF8.self), addSpecialTokens: false, parseSpecial: false)
                for tokens in [usual, Self.randomTokens(text, ids, &random)] {
                    #expect(
                        Self.accepts(grammar, tokens, checksMasks: text.count < 400) == isValid,
                        "\(entry.id) \(name): \(String(decoding: text, as: UTF8.self))")
                    judged += 1
                }
            }
        }
        print("\(name): \(judged) token sequences judged")
        #expect(judged > 500)
    }

    private static func accepts(_ grammar: CompiledGrammar, _ tokens: [Int32], checksMasks: Bool) -> Bool {
        var matcher = grammar.makeMatcher()
        var mask = TokenMask(count: grammar.vocabulary.size)
        for token in tokens {
            if checksMasks { matcher.fill(&mask) }
            let isAccepted = matcher.accept(token)
            if checksMasks { #expect(mask.contains(token) == isAccepted) }
            if !isAccepted { return false }
        }
        return matcher.accept(grammar.vocabulary.endTokens[0])
    }

    /// Tokens of up to eight bytes that spell `text`, each chosen at random among those that fit.
    private static func randomTokens(
        _ text: [UInt8], _ ids: [[UInt8]: Int32], _ random: inout SeededGenerator
    ) -> [Int32] {
        var tokens: [Int32] = []
        var start = 0
        while start < text.count {
            let fitting = (1...8).compactMap { length in
                start + length <= text.count ? ids[Array(text[start..<start + length])].map { ($0, length) } : nil
            }
            guard let choice = fitting.randomElement(using: &random) else { return [] }
            tokens.append(choice.0)
            start += choice.1
        }
        return tokens
    }

    static func unpacked(_ path: String) throws -> [UInt8] {
        let pipe = try #require(popen("gzip -dc '\(path)'", "r"))
        defer { pclose(pipe) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&buffer, 1, buffer.count, pipe)
            if count == 0 { return bytes }
            bytes.append(contentsOf: buffer[..<count])
        }
    }
}
