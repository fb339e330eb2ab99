import ChatTemplates
import EngineInterface
import TestSupport
import TextGeneration
import Tokenizers

/// A model whose tokens are bytes: id 65 is `A`. Above them two marks of the chat template and the end of text.
enum TinyModel {
    static let start: Int32 = 256
    static let end: Int32 = 257
    static let endOfText: Int32 = 258

    static let information = EngineInformation(
        modelPath: "/models/tiny", architecture: "TinyForCausalLM", vocabularySize: 259, contextLength: 200,
        poolTokens: 1024, pageSize: 16, dtype: "float32", backend: "scripted", endOfSequenceIDs: [257, 258])

    static func ids(_ text: String) -> [Int32] { text.utf8.map { Int32($0) } }

    static func text(_ ids: [Int32]) -> String {
        ids.map { id in
            switch id {
            case start: "<|im_start|>"
            case end: "<|im_end|>"
            case endOfText: "<|endoftext|>"
            default: String(decoding: [UInt8(truncatingIfNeeded: id)], as: UTF8.self)
            }
        }.joined()
    }

    static func assets(
        template: String? = chatML, sampling: SamplingParameters = SamplingParameters(),
        parsers: AnswerParsers = AnswerParsers()
    ) throws -> ModelAssets {
        ModelAssets(
            tokenizer: try Tokenizer(json: Array(tokenizerJSON.utf8)),
            chatTemplate: try template.map { try ChatTemplate(source: $0) }, defaultSampling: sampling,
            parsers: parsers)
    }

    static let chatML = """
        {%- for message in messages %}{%- if message.role == 'tool' and no_tools %}{{ raise_exception('no tools here') }}{%- endif %}<|im_start|>{{ message.role }}
        {{ message.content }}<|im_end|>
        {% endfor %}{%- if add_generation_prompt %}<|im_start|>assistant
        {% endif %}
        """

    /// The byte-level alphabet of GPT-2 without merges.
    private static var tokenizerJSON: String {
        var vocabulary: [String] = []
        var spare: UInt32 = 256
        for byte in 0..<256 as Range<UInt32> {
            let isPrintable = (33...126).contains(byte) || (161...172).contains(byte) || (174...255).contains(byte)
            vocabulary.append("\"\\u\(hexadecimal(isPrintable ? byte : spare))\":\(byte)")
            if !isPrintable { spare += 1 }
        }
        let special = ["<|im_start|>", "<|im_end|>", "<|endoftext|>"]
        for (offset, text) in special.enumerated() { vocabulary.append("\"\(text)\":\(256 + offset)") }
        let added = special.enumerated().map { offset, text in
            """
            {"id":\(256 + offset),"content":"\(text)","single_word":false,"lstrip":false,"rstrip":false,\
            "normalized":false,"special":true}
            """
        }
        return """
            {"version":"1.0","truncation":null,"padding":null,"added_tokens":[\(added.joined(separator: ","))],\
            "normalizer":null,"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,\
            "use_regex":true},"post_processor":null,"decoder":{"type":"ByteLevel","add_prefix_space":false,\
            "trim_offsets":true,"use_regex":true},"model":{"type":"BPE","dropout":null,"unk_token":null,\
            "continuing_subword_prefix":null,"end_of_word_suffix":null,"fuse_unk":false,"byte_fallback":false,\
            "vocab":{\(vocabulary.joined(separator: ","))},"merges":[]}}
            """
    }

    private static func hexadecimal(_ number: UInt32) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 4 - digits.count) + digits
    }
}
