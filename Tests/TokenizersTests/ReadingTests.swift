import Testing
import Tokenizers

@Suite("Reading tokenizer.json")
struct ReadingTests {
    private func section(_ text: String) throws -> TokenizerError? {
        TinyTokenizer.error(try TinyTokenizer.bpe(["a"], sections: text))
    }

    @Test("an unknown component is an error that names it and its path")
    func unknownComponents() throws {
        let cases = [
            (#""normalizer": {"type": "Nmt2"}"#, "normalizer", "Nmt2"),
            (
                #""normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Nmt"}]}"#,
                "normalizer.normalizers[1]", "Nmt"
            ),
            (
                #""pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "UnicodeScripts"}]}"#,
                "pre_tokenizer.pretokenizers[0]", "UnicodeScripts"
            ),
            (
                #""post_processor": {"type": "Sequence", "processors": [{"type": "X"}]}"#,
                "post_processor.processors[0]", "X"
            ),
            (#""decoder": {"type": "CTC"}"#, "decoder", "CTC"),
        ]
        for (text, path, type) in cases {
            let error = try section(text)
            #expect(error == .unsupportedComponent(path: path, type: type), "\(text)")
            #expect(error?.description.contains(path) == true && error?.description.contains(type) == true)
        }
        #expect(
            TinyTokenizer.error(#"{"model": {"type": "WordLevel", "vocab": {"<unk>": 0}}}"#)
                == .unsupportedComponent(path: "model", type: "WordLevel"))
    }

    @Test("a list of tokens and scores is a Unigram model, and its fields are checked")
    func unigramFields() throws {
        #expect(TinyTokenizer.error(#"{"model": {"vocab": [["<unk>", 0.0]]}}"#) == nil)
        for (text, path) in [
            (#"{"model": {"type": "Unigram", "vocab": []}}"#, "model.vocab"),
            (#"{"model": {"type": "Unigram", "unk_id": 1, "vocab": [["a", 0.0]]}}"#, "model.unk_id"),
            (#"{"model": {"type": "Unigram", "vocab": [["a", "b"]]}}"#, "model.vocab[0]"),
            (
                #"{"normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAA"}, "model": {"vocab": [["a", 0]]}}"#,
                "normalizer.precompiled_charsmap"
            ),
        ] {
            let error = TinyTokenizer.error(text)
            #expect(error?.description.contains(path) == true, "\(text): \(String(describing: error))")
        }
    }

    @Test("damaged Unigram files are errors or work") func damagedUnigram() throws {
        let all: [Cases.Description] = try Cases.rows(TokenizerCases.tokenizers)
        let original = Array(try #require(all.first { $0.name == "unigram" }).json.utf8)
        var generator = SystemRandomNumberGenerator()
        let seed = UInt64.random(in: .min ... .max, using: &generator)
        print("seed \(seed)")
        var state = seed
        func random(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        var read = 0
        for _ in 0..<10_000 {
            var json = original
            for _ in 0...random(4) { json[random(json.count)] = UInt8(0x20 + random(0x5F)) }
            guard let tokenizer = try? Tokenizer(json: json) else { continue }
            read += 1
            for text in ["Hello the wörld é 你 👍🏽", "\r\n½ \u{3000}", "e\u{301}Aø한"] {
                let ids = tokenizer.encode(text, addSpecialTokens: true)
                #expect(ids.allSatisfy { $0 >= 0 && Int($0) < tokenizer.vocabularySize }, "seed \(seed)")
            }
        }
        #expect(read > 100, "seed \(seed)")
    }

    @Test("a wrong field is an error that names its place")
    func wrongFields() throws {
        #expect(try section(#""normalizer": {"type": "Prepend"}"#) == .missingField(path: "normalizer.prepend"))
        #expect(
            try section(#""normalizer": {"type": "Prepend", "prepend": 3}"#)
                == .wrongType(path: "normalizer.prepend", expected: "a string", found: "a number"))
        #expect(try section(#""decoder": []"#) == .wrongType(path: "decoder", expected: "an object", found: "an array"))
        #expect(
            try section(#""added_tokens": [{"id": 1, "content": "x"}]"#)
                == .missingField(path: "added_tokens[0].normalized"))
        #expect(TinyTokenizer.error("{}") == .missingField(path: "model"))
        #expect(TinyTokenizer.error(#"{"model": {"type": "BPE", "merges": []}}"#) == .missingField(path: "model.vocab"))
        #expect(
            TinyTokenizer.error(#"{"model": {"type": "BPE", "vocab": {"a": 0}}}"#)
                == .missingField(path: "model.merges"))
        for (text, path) in [
            (#""pre_tokenizer": {"type": "Punctuation", "behavior": "Sideways"}"#, "pre_tokenizer.behavior"),
            (
                #""post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "[X]"}}]}"#,
                "post_processor.single[0].SpecialToken.id"
            ),
        ] {
            guard case .invalidValue(path, _, _) = try section(text) else {
                Issue.record("\(text)")
                continue
            }
        }
        guard
            case .unsupportedOption("version", _, _) = TinyTokenizer.error(
                #"{"version": "2.0", "model": {"type": "BPE", "vocab": {}, "merges": []}}"#)
        else {
            Issue.record("a version of the future was read")
            return
        }
    }

    @Test("a model that contradicts itself is an error")
    func wrongModels() throws {
        for (options, path) in [
            (#""unk_token": "<unk>""#, "model.unk_token"), (#""dropout": 0.1"#, "model.dropout"),
        ] {
            switch TinyTokenizer.error(try TinyTokenizer.bpe(["a"], options: options)) {
            case .invalidValue(path, _, _), .unsupportedOption(path, _, _): break
            case let error: Issue.record("\(options): \(String(describing: error))")
            }
        }
        for merges in [
            #"["a b c"]"#, #"["ab"]"#, #"["a c"]"#, #"["a b"]"#, #"[["a"]]"#, #"[["a", "b", "c"]]"#, "{}", "3",
        ] {
            let json = #"{"model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": "# + merges + "}}"
            #expect(TinyTokenizer.error(json) != nil, "\(merges)")
        }
        for vocabulary in [
            #"{"a": -1}"#, #"{"a": 0.5}"#, #"{"a": 99999999999}"#, #"{"a": "b"}"#, #"{"a": 1, "b": 1}"#, "3", #"["a"]"#,
        ] {
            let json = #"{"model": {"type": "BPE", "merges": [], "vocab": "# + vocabulary + "}}"
            #expect(TinyTokenizer.error(json) != nil, "\(vocabulary)")
        }
        #expect(TinyTokenizer.error(#"{"model": {"type": "WordPiece", "vocab": {"a": 0}}}"#) != nil)
    }

    @Test("what is not JSON is an error with its offset")
    func notJSON() {
        let model = #""model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}"#
        for text in [
            "", "{", "[]", "{\(model)} x", "{\(model),}", "{\(model), \"x\": tru}", "{\(model), \"x\": 01}",
            "{\(model), \"x\": \"\\q\"}", "{\(model), \"x\": [1,]}", "{\(model), \"x\": 1.}", "{\(model) \"x\": 1}",
            "{\(model), \"decoder\": {\"type\": \"\\ud800\"}}", "{\(model), \"normalizer\": \"\u{1}\"}",
            "{\(model), \"x\": \(String(repeating: "[", count: 100_000))}",
        ] {
            guard case .invalidJSON = TinyTokenizer.error(text) else {
                Issue.record("accepted or misjudged: \(text.prefix(100))")
                continue
            }
        }
        guard case .invalidJSON = TinyTokenizer.error([0x7B, 0xFF, 0x7D]) else {
            Issue.record("bytes that are no UTF-8 were read")
            return
        }
    }

    /// Damaged files must be refused or read, never crash.
    @Test("a file with damaged bytes is refused or read")
    func damagedFiles() throws {
        let seed: UInt64 = 7
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        let all: [Cases.Description] = try Cases.rows(TokenizerCases.tokenizers)
        var refused = 0
        for description in all {
            let whole = Array(description.json.utf8)
            for _ in 0..<60 {
                var bytes = whole
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    let place = Int.random(in: 0..<bytes.count, using: &generator)
                    switch Int.random(in: 0..<3, using: &generator) {
                    case 0: bytes[place] = UInt8.random(in: 0x20...0x7E, using: &generator)
                    case 1: bytes.remove(at: place)
                    default: bytes.removeSubrange(place..<min(bytes.count, place + 20))
                    }
                }
                do {
                    let tokenizer = try Tokenizer(json: bytes)
                    let ids = tokenizer.encode("hello the wörld <mask> 你好 ", addSpecialTokens: true)
                    _ = tokenizer.decode(ids, skipSpecialTokens: true)
                } catch {
                    refused += 1
                }
            }
        }
        #expect(refused > 50)
    }

    @Test("escapes in keys and merges are read as their characters")
    func escapes() throws {
        let json =
            #"{"model": {"type": "BPE", "vocab": {"\ud83d\ude00": 0, "\u00e9": 1, "\ud83d\ude00\u00e9": 2, "\"\\\n": 3},"#
            + #" "merges": ["\ud83d\ude00 \u00e9"]}, "decoder": {"type": "Fuse"}}"#
        let tokenizer = try Tokenizer(json: Array(json.utf8))
        #expect(tokenizer.encode("😀\u{E9}", addSpecialTokens: false) == [2])
        #expect(tokenizer.token(ofID: 3) == "\"\\\n")
    }

    /// Older files of GPT-2 name no model type and have empty affixes and an unknown token that is not there.
    @Test("a model without type is told by its fields")
    func untypedModel() throws {
        let json =
            #"{"model": {"unk_token": "", "continuing_subword_prefix": "", "end_of_word_suffix": "","#
            + #" "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}}"#
        #expect(try Tokenizer(json: Array(json.utf8)).encode("ab", addSpecialTokens: false) == [2])
    }
}
