/// `tokenizer.json` and `tokenizer_config.json` of a GGUF model, from the vocabulary in its metadata.
///
/// Two kinds of vocabulary: "gpt2", byte-level BPE with its merges, and "llama", SentencePiece's BPE, whose merges follow
/// from the scores of the tokens: the pair whose token has the highest score goes first.
struct GGUFVocabulary {
    private let metadata: GGUFMetadata
    private let tokens: [Range<Int>]
    /// As in `llama.h`: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte.
    private let types: [Int]
    private let isByteLevel: Bool

    /// - Throws: `configuration` or `unsupported` with the metadata's key.
    init(_ metadata: GGUFMetadata) throws(CheckpointError) {
        self.metadata = metadata
        let model = try metadata.string("tokenizer.ggml.model") ?? "none"
        guard model == "gpt2" || model == "llama" else {
            throw .unsupported(
                file: metadata.file.path, key: "tokenizer.ggml.model", found: "\"\(model)\"",
                supported: "\"gpt2\" and \"llama\" are supported")
        }
        isByteLevel = model == "gpt2"
        tokens = try metadata.strings("tokenizer.ggml.tokens") ?? []
        types = try metadata.integers("tokenizer.ggml.token_type") ?? [Int](repeating: 1, count: tokens.count)
        guard !tokens.isEmpty, types.count == tokens.count else {
            throw .configuration(
                file: metadata.file.path, key: "tokenizer.ggml.token_type",
                expected: "a type for each of \(tokens.count) tokens", found: "\(types.count)")
        }
    }

    private func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        metadata.file.bytes(range) ?? UnsafeRawBufferPointer(start: nil, count: 0)
    }

    private func token(_ key: String) throws(CheckpointError) -> (id: Int, text: [UInt8])? {
        guard let id = try metadata.integer("tokenizer.ggml.\(key)_token_id") else { return nil }
        guard tokens.indices.contains(id) else {
            throw .configuration(
                file: metadata.file.path, key: "tokenizer.ggml.\(key)_token_id",
                expected: "an id below \(tokens.count)", found: "\(id)")
        }
        return (id, [UInt8](bytes(tokens[id])))
    }

    func tokenizerJSON() throws(CheckpointError) -> [UInt8] {
        var json = JSONText()
        json.open("{")
        json.member("version", "1.0")
        json.name("added_tokens")
        json.open("[")
        for (id, type) in types.enumerated() where type == 3 || type == 4 || (type == 2 && !isByteLevel) {
            json.open("{")
            json.member("id", id)
            json.name("content")
            json.element(bytes(tokens[id]))
            for flag in ["single_word", "lstrip", "rstrip", "normalized"] { json.member(flag, raw: "false") }
            json.member("special", raw: type == 4 ? "false" : "true")
            json.close("}")
        }
        json.close("]")
        try stages(&json)
        if try metadata.boolean("tokenizer.ggml.add_bos_token") ?? !isByteLevel, let begin = try token("bos") {
            postProcessor(begin, &json)
        }
        json.name("model")
        json.open("{")
        json.member("type", "BPE")
        if !isByteLevel {
            json.member("byte_fallback", raw: "true")
            json.member("fuse_unk", raw: "true")
            if let unknown = types.firstIndex(of: 2) {
                json.name("unk_token")
                json.element(bytes(tokens[unknown]))
            }
        } else if try GGUFPreTokenizer(metadata).ignoresMerges {
            json.member("ignore_merges", raw: "true")
        }
        json.name("vocab")
        json.open("{")
        var known = Set<[UInt8]>()
        for (id, range) in tokens.enumerated() {
            let text = [UInt8](bytes(range))
            guard known.insert(text).inserted else { continue }
            json.name(bytes: text)
            json.value("\(id)")
        }
        json.close("}")
        json.name("merges")
        json.open("[")
        if isByteLevel {
            for range in try metadata.strings("tokenizer.ggml.merges") ?? [] { json.element(bytes(range)) }
        } else {
            for merge in try mergesByScore() {
                json.open("[")
                json.element(merge.0)
                json.element(merge.1)
                json.close("]")
            }
        }
        json.close("]")
        json.close("}")
        json.close("}")
        return json.bytes
    }

    private func stages(_ json: inout JSONText) throws(CheckpointError) {
        guard isByteLevel else {
            let prefix =
                try metadata.boolean("tokenizer.ggml.add_space_prefix") ?? true
                ? #"{"type":"Prepend","prepend":"▁"},"# : ""
            let strip = prefix.isEmpty ? "" : #",{"type":"Strip","content":" ","start":1,"stop":0}"#
            json.member(
                "normalizer",
                raw:
                    #"{"type":"Sequence","normalizers":[\#(prefix){"type":"Replace","pattern":{"String":" "},"content":"▁"}]}"#
            )
            json.member(
                "decoder",
                raw: #"{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},"#
                    + #"{"type":"ByteFallback"},{"type":"Fuse"}\#(strip)]}"#)
            return
        }
        let preTokenizer = try GGUFPreTokenizer(metadata)
        if let normalizer = preTokenizer.normalizer { json.member("normalizer", raw: normalizer) }
        json.name("pre_tokenizer")
        preTokenizer.write(&json)
        json.member(
            "decoder", raw: #"{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true}"#)
    }

    private func postProcessor(_ begin: (id: Int, text: [UInt8]), _ json: inout JSONText) {
        func special(_ json: inout JSONText) {
            json.open("{")
            json.name("SpecialToken")
            json.open("{")
            json.name("id")
            json.element(begin.text)
            json.member("type_id", 0)
            json.close("}")
            json.close("}")
        }
        json.name("post_processor")
        json.open("{")
        json.member("type", "TemplateProcessing")
        for (name, sequences) in [("single", ["A"]), ("pair", ["A", "B"])] {
            json.name(name)
            json.open("[")
            for (index, sequence) in sequences.enumerated() {
                special(&json)
                json.value("{\"Sequence\":{\"id\":\"\(sequence)\",\"type_id\":\(index)}}")
            }
            json.close("]")
        }
        json.name("special_tokens")
        json.open("{")
        json.name(bytes: begin.text)
        json.open("{")
        json.name("id")
        json.element(begin.text)
        json.member("ids", raw: "[\(begin.id)]")
        json.name("tokens")
        json.open("[")
        json.element(begin.text)
        json.close("]")
        json.close("}")
        json.close("}")
        json.close("}")
    }

    /// All ways to put a token together from two others, best token first; among the parts of one token, as the library
    /// that converts SentencePiece models orders them.
    private func mergesByScore() throws(CheckpointError) -> [([UInt8], [UInt8])] {
        let key = "tokenizer.ggml.scores"
        guard let scores = try metadata.floats(key), scores.count == tokens.count else {
            throw .configuration(
                file: metadata.file.path, key: key, expected: "a score for each of \(tokens.count) tokens",
                found: "others")
        }
        var ids: [ArraySlice<UInt8>: Int] = [:]
        let texts = tokens.map { [UInt8](bytes($0))[...] }
        for (id, text) in texts.enumerated() where types[id] != 6 { ids[text] = id }
        var merges: [(score: Double, left: Int, right: Int)] = []
        for (id, text) in texts.enumerated() where types[id] == 1 || types[id] == 4 {
            var local: [(score: Double, left: Int, right: Int)] = []
            for cut in text.indices.dropFirst() where text[cut] & 0xC0 != 0x80 {
                guard let left = ids[text[..<cut]], let right = ids[text[cut...]] else { continue }
                local.append((scores[id], left, right))
            }
            merges += local.sorted { ($0.left, $0.right) < ($1.left, $1.right) }
        }
        // The sort has to keep the order of equals.
        let order = merges.indices.sorted { (-merges[$0].score, $0) < (-merges[$1].score, $1) }
        return order.map { (Array(texts[merges[$0].left]), Array(texts[merges[$0].right])) }
    }

    func tokenizerConfigJSON() throws(CheckpointError) -> [UInt8] {
        var json = JSONText()
        json.open("{")
        for name in ["bos", "eos"] {
            guard let token = try token(name) else { continue }
            json.name("\(name)_token")
            json.element(token.text)
        }
        if let template = try metadata.string("tokenizer.chat_template") { json.member("chat_template", template) }
        json.close("}")
        return json.bytes
    }
}
