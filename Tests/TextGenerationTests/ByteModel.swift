import Checkpoint
import ChatTemplates
import EngineInterface
import TextGeneration
import Tokenizers

/// A model whose ids below 256 are bytes (of the byte-level alphabet), followed by a few longer tokens.
enum ByteModel {
    static let pieces = ["ST", "OP", "STOP", "ab", "abc", "é", "<|im_start|>", "<|im_end|>", "<|endoftext|>"]
    static let end: Int32 = 263
    static let endOfText: Int32 = 264

    static let information = EngineInformation(
        modelPath: "/models/bytes", architecture: "ByteForCausalLM", vocabularySize: 265, contextLength: 400,
        poolTokens: 1024, pageSize: 16, dtype: "float32", backend: "scripted", endOfSequenceIDs: [end, endOfText])

    /// The id of a longer token.
    static func id(_ piece: String) -> Int32 { Int32(256 + (pieces.firstIndex(of: piece) ?? 0)) }

    static func ids(_ text: String) -> [Int32] { text.utf8.map { Int32($0) } }

    /// The bytes that an id stands for.
    static func bytes(_ id: Int32) -> [UInt8] { id < 256 ? [UInt8(id)] : Array(pieces[Int(id) - 256].utf8) }

    static func tokenizer() throws -> Tokenizer { try Tokenizer(json: tokenizerJSON()) }

    static func assets(template: String? = nil, tools: String? = nil) throws -> ModelAssets {
        ModelAssets(
            tokenizer: try tokenizer(), chatTemplate: try template.map { try ChatTemplate(source: $0) },
            toolTemplate: try tools.map { try ChatTemplate(source: $0) }, endOfSequenceToken: "<|im_end|>")
    }

    static func tokenizerJSON() -> [UInt8] {
        /// GPT-2's printable stand-in of a byte.
        var standIns: [String] = []
        var spare: UInt32 = 256
        for byte in 0..<256 as Range<UInt32> {
            let isPrintable = (33...126).contains(byte) || (161...172).contains(byte) || (174...255).contains(byte)
            standIns.append(Unicode.Scalar(isPrintable ? byte : spare).map { String(Character($0)) } ?? "")
            if !isPrintable { spare += 1 }
        }
        var entries = standIns.enumerated().map { "\(quoted($0.element)):\($0.offset)" }
        for (offset, piece) in pieces.enumerated() {
            let isMark = piece.hasPrefix("<|")
            let spelled = isMark ? piece : piece.utf8.map { standIns[Int($0)] }.joined()
            entries.append("\(quoted(spelled)):\(256 + offset)")
        }
        let added = pieces.enumerated().filter { $0.element.hasPrefix("<|") }.map { offset, piece in
            """
            {"id":\(256 + offset),"content":"\(piece)","single_word":false,"lstrip":false,"rstrip":false,\
            "normalized":false,"special":true}
            """
        }
        let byteLevel = #"{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}"#
        return Array(
            """
            {"version":"1.0","added_tokens":[\(added.joined(separator: ","))],"normalizer":null,\
            "pre_tokenizer":\(byteLevel),"post_processor":null,"decoder":\(byteLevel),\
            "model":{"type":"BPE","vocab":{\(entries.joined(separator: ","))},"merges":[]}}
            """.utf8)
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }

    /// Model files made in memory. The bytes stay for as long as the test process lives.
    static func files(_ files: [(String, [UInt8])]) -> ModelFiles {
        ModelFiles.embedded(
            files.map { name, contents in
                let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, contents.count), alignment: 16)
                memory.copyBytes(from: contents)
                return (name, UnsafeRawBufferPointer(start: memory.baseAddress, count: contents.count))
            }, description: "test")
    }
}
