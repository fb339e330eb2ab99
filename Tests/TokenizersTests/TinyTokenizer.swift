import FoundationEssentials
import Tokenizers

/// Tokenizers put together in a test: a JSON text with the sections that matter, everything else absent.
enum TinyTokenizer {
    /// JSON spelling of a string.
    static func quoted(_ text: String) throws -> String {
        String(decoding: try JSONEncoder().encode([text]).dropFirst().dropLast(), as: UTF8.self)
    }

    /// `tokens` get their place as id; merges are written as pairs.
    static func bpe(
        _ tokens: [String], merges: [(String, String)] = [], options: String = "", sections: String = ""
    ) throws -> [UInt8] {
        let vocabulary = try tokens.enumerated().map { "\(try quoted($0.element)):\($0.offset)" }
        let pairs = try merges.map { "[\(try quoted($0.0)),\(try quoted($0.1))]" }
        let text = """
            {"version": "1.0", "model": {"type": "BPE" \(options.isEmpty ? "" : ", " + options),
            "vocab": {\(vocabulary.joined(separator: ","))}, "merges": [\(pairs.joined(separator: ","))]}
            \(sections.isEmpty ? "" : ", " + sections)}
            """
        return Array(text.utf8)
    }

    /// The error that reading the bytes throws, if any.
    static func error(_ json: [UInt8]) -> TokenizerError? {
        do {
            _ = try Tokenizer(json: json)
            return nil
        } catch {
            return error
        }
    }

    /// The error of a whole file given as text.
    static func error(_ json: String) -> TokenizerError? {
        error(Array(json.utf8))
    }
}
