import FoundationEssentials
import Glibc
import Testing
import Tokenizers

/// The generated cases, decoded.
enum Cases {
    struct Description: Decodable {
        var name: String
        var json: String
    }

    struct TextRow: Decodable {
        var tokenizer: String
        var text: String
        var ids: [Int32]
        var ids_with_special: [Int32]
        var ids_unparsed: [Int32]
        var decoded: String
        var decoded_skip_special: String
    }

    struct PatternRow: Decodable {
        var pattern: String
        var behavior: String
        var invert: Bool
        var text: String
        var pieces: [String]
    }

    struct PairRow: Decodable {
        var tokenizer: String
        var first: String
        var second: String
        var limit: Int?
        var ids: [Int32]
        var types: [Int32]
    }

    static func rows<Row: Decodable>(_ text: String) throws -> [Row] {
        try text.split(separator: "\n").map { try JSONDecoder().decode(Row.self, from: Data($0.utf8)) }
    }

    /// The small tokenizer of that name.
    static func tokenizer(_ name: String) throws -> Tokenizer {
        let all: [Description] = try rows(TokenizerCases.tokenizers)
        let description = try #require(all.first { $0.name == name })
        return try Tokenizer(json: Array(description.json.utf8))
    }

    static let names = [
        "byteLevel", "sentencePiece", "metaspace", "wordPiece", "affixes", "wholeWords", "unigram", "unigramBytes",
    ]
}

/// The files that lie beside the repository.
enum SharedCases {
    /// Folder of the shared files, if it is there.
    static let root: String? = {
        let repository = String(#filePath).split(separator: "/").dropLast(3).joined(separator: "/")
        let path = getenv("RADISH_SHARED").map { String(cString: $0) } ?? "/" + repository + "/../shared"
        guard access(path, R_OK) == 0 else {
            print("SKIPPED: no shared files at \(path)")
            return nil
        }
        return path
    }()

    static func read(_ path: String) throws -> [UInt8] {
        let file = try #require(fopen(path, "rb"), "cannot read \(path)")
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
        return bytes
    }
}

/// The pieces of a stream over `ids`, put together.
func streamed(_ tokenizer: Tokenizer, _ ids: [Int32], skipSpecialTokens: Bool) -> String {
    var stream = StreamingDetokenizer(tokenizer, skipSpecialTokens: skipSpecialTokens)
    var text = ""
    for id in ids { text += stream.append(id) }
    return text + stream.finish()
}

/// Byte by byte: `String` would take canonically equal texts for equal.
func sameBytes(_ left: String, _ right: String) -> Bool {
    left.utf8.elementsEqual(right.utf8)
}

/// A generator that a failure can be replayed with (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
