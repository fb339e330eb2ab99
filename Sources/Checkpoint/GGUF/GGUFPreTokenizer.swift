/// How a text is cut before byte-level BPE, by `tokenizer.ggml.pre`.
struct GGUFPreTokenizer {
    /// Regular expressions that cut one after the other, as published in the tokenizer.json of the models that the names
    /// stand for.
    private static let splits: [(names: [String], patterns: [String])] = [
        (
            ["llama-bpe", "dbrx", "smaug-bpe", "glm4", "chatglm-bpe"],
            [
                #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
            ]
        ),
        (
            ["qwen2"],
            [
                #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
            ]
        ),
        (
            ["gpt-4o"],
            [
                #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"#
                    + #"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"#
                    + #"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
            ]
        ),
        (
            ["deepseek-v3"],
            [
                #"\p{N}{1,3}"#, "[一-龥\u{3040}-ゟ゠-ヿ]+",
                ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"##
                    + #"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#,
            ]
        ),
    ]
    /// Those that cut as GPT-2 did, of which some take each digit by itself.
    private static let plain = ["gpt-2"]
    private static let digits = ["smollm", "refact", "starcoder"]

    private let name: String

    /// - Throws: `unsupported` for a name that is not known.
    init(_ metadata: GGUFMetadata) throws(CheckpointError) {
        name = try metadata.string("tokenizer.ggml.pre") ?? "gpt-2"
        let known = Self.splits.flatMap(\.names) + Self.plain + Self.digits
        guard known.contains(name) else {
            throw .unsupported(
                file: metadata.file.path, key: "tokenizer.ggml.pre", found: "\"\(name)\"",
                supported: "supported are \(known.sorted().joined(separator: ", "))")
        }
    }

    var ignoresMerges: Bool { name == "llama-bpe" }
    var normalizer: String? { name == "qwen2" ? #"{"type":"NFC"}"# : nil }

    /// The value of `pre_tokenizer`.
    func write(_ json: inout JSONText) {
        let patterns = Self.splits.first { $0.names.contains(name) }?.patterns ?? []
        json.open("{")
        json.member("type", "Sequence")
        json.name("pretokenizers")
        json.open("[")
        for pattern in patterns {
            json.open("{")
            json.member("type", "Split")
            json.name("pattern")
            json.open("{")
            json.member("Regex", pattern)
            json.close("}")
            json.member("behavior", "Isolated")
            json.member("invert", raw: "false")
            json.close("}")
        }
        if Self.digits.contains(name) { json.value(#"{"type":"Digits","individual_digits":true}"#) }
        json.value(
            #"{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":false,"use_regex":\#(patterns.isEmpty)}"#)
        json.close("]")
        json.close("}")
    }
}
