/// How a text is cut before byte-level BPE, by `tokenizer.ggml.pre`.
struct GGUFPreTokenizer {
    /// DeepSeek's first models name letters with two cases one by one.
    private static let casedLetters =
        "A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕ"
        + "ἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳ"
        + "Ꙁ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃"
    private static let ideographs = "[一-龥\u{800}-一가-\u{D7FF}]+"

    /// Regular expressions that cut one after the other, as published in the tokenizer.json of the models that the names
    /// stand for.
    private static let splits: [(names: [String], patterns: [String])] = [
        (
            ["llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral", "dbrx", "smaug-bpe", "glm4", "chatglm-bpe"],
            [
                #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
            ]
        ),
        (
            ["qwen2", "deepseek-r1-qwen", "megrez"],
            [
                #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
            ]
        ),
        (
            ["gpt-4o", "llama4"],
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
        (
            ["deepseek-llm"],
            [
                #"[\r\n]"#, #"\s?["# + casedLetters + "]+", "\\s?[!-/:-~！-／：-～‘-‟\u{3000}-。]+", #"\s+$"#, ideographs,
            ]
        ),
        (["deepseek-coder"], [#"[\r\n]"#, #"\s?\p{L}+"#, #"\s?\p{P}+"#, ideographs]),
        (
            ["tekken"],
            [
                #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"#
                    + #"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"#
                    + #"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
            ]
        ),
    ]
    /// Those that cut as GPT-2 did.
    private static let plain = ["gpt-2", "olmo", "phi-2", "mpt"]
    /// Those that take each digit by itself, after the patterns above or before GPT-2's.
    private static let digits = ["smollm", "refact", "starcoder", "deepseek-llm", "deepseek-coder"]
    /// Whole words that are tokens are taken before any merge.
    private static let wholeWords = ["llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral"]

    private let name: String

    /// - Throws: `unsupported` for a name that is not known.
    init(_ metadata: GGUFMetadata) throws(CheckpointError) {
        name = try metadata.string("tokenizer.ggml.pre") ?? "gpt-2"
        let known = Set(Self.splits.flatMap(\.names) + Self.plain + Self.digits)
        guard known.contains(name) else {
            throw .unsupported(
                file: metadata.file.path, key: "tokenizer.ggml.pre", found: "\"\(name)\"",
                supported: "supported are \(known.sorted().joined(separator: ", "))")
        }
    }

    var ignoresMerges: Bool { Self.wholeWords.contains(name) }
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
