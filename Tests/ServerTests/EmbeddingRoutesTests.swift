import EngineInterface
import FoundationEssentials
import Server
import Synchronization
import Testing
import TextGeneration
import WireTypes

/// The endpoints of embedding models and rerankers, over an engine whose numbers can be foretold.
struct EmbeddingRoutesTests {
    /// Counts tokens: the vector of a text is [tokens, first token, 3, 4] made to length 1; a score is minus the tokens.
    private final class CountingEngine: EmbeddingEngine {
        let information: EmbeddingInformation
        private let seen = Mutex<[[EmbeddingInput]]>([])

        init(isReranker: Bool) {
            information = EmbeddingInformation(
                modelPath: "/models/enc", architecture: isReranker ? "BertForSequenceClassification" : "BertModel",
                vocabularySize: 259, contextLength: 20, dimensions: isReranker ? 1 : 4, isReranker: isReranker,
                appliesSigmoid: isReranker, pooling: "mean", dtype: "float32", backend: "scripted")
        }

        func vectors(_ inputs: [EmbeddingInput]) async throws(RequestError) -> [[Float]] {
            try information.validate(inputs)
            seen.withLock { $0.append(inputs) }
            return inputs.map { input in
                let raw = [Float(input.tokens.count), Float(input.tokens[0]), 3, 4]
                let length = raw.reduce(0) { $0 + $1 * $1 }.squareRoot()
                return raw.map { $0 / length }
            }
        }

        func scores(_ inputs: [EmbeddingInput]) async throws(RequestError) -> [Float] {
            try information.validate(inputs)
            return inputs.map { -Float($0.tokens.count) }
        }

        func statistics() async -> EmbeddingStatistics {
            var result = EmbeddingStatistics()
            result.texts = seen.withLock { $0.reduce(0) { $0 + $1.count } }
            return result
        }

        func shutdown() async {}
    }

    private func run(
        isReranker: Bool = false, _ body: @escaping @Sendable (TestServer) async throws -> Void
    ) async throws {
        try await TestServer.run(isReady: false) { server in
            server.model.becomeReady(
                EmbeddingService(
                    engine: CountingEngine(isReranker: isReranker), tokenizer: try TinyModel.assets().tokenizer))
            try await body(server)
        }
    }

    @Test func vectorsComeAsNumbersAndAsBase64() async throws {
        try await run { server in
            let plain = try await server.post("/v1/embeddings", #"{"model":"tiny","input":["hi","A",[65,66,67]]}"#)
            #expect(plain.status == 200)
            let text = plain.text
            #expect(text.contains(#""object":"list""#) && text.contains(#""model":"tiny""#))
            #expect(text.contains(#""usage":{"prompt_tokens":6,"total_tokens":6}"#))
            #expect(text.contains(#""index":2,"embedding":["#))
            let coded = try await server.post("/v1/embeddings", #"{"input":"A","encoding_format":"base64"}"#).text
            let start = try #require(coded.firstRange(of: #""embedding":""#)).upperBound
            let data = try #require(Data(base64Encoded: String(coded[start...].prefix { $0 != "\"" })))
            let bits = stride(from: 0, to: 16, by: 4).map { offset in
                (0..<4).reduce(UInt32(0)) { $0 | UInt32(data[offset + $1]) << UInt32(8 * $1) }
            }
            let length = Float(1 + 65 * 65 + 9 + 16).squareRoot()
            #expect(bits.map(Float.init(bitPattern:)) == [1, 65, 3, 4].map { $0 / length })
        }
    }

    @Test func fewerDimensionsHaveLengthOneAgain() async throws {
        try await run { server in
            let answer = try await server.post("/v1/embeddings", #"{"input":"A","dimensions":2}"#).text
            let start = try #require(answer.firstRange(of: #""embedding":["#)).upperBound
            let numbers = answer[start...].prefix { $0 != "]" }.split(separator: ",").compactMap { Double($0) }
            #expect(numbers.count == 2 && abs(numbers.reduce(0) { $0 + $1 * $1 } - 1) < 1e-6)
            let wrong = try await server.post("/v1/embeddings", #"{"input":"A","dimensions":5}"#)
            #expect(wrong.status == 400 && wrong.text.contains(#""param":"dimensions""#))
        }
    }

    @Test func whatIsTooLongIsAnErrorWithBothNumbersUnlessItMayBeCut() async throws {
        try await run { server in
            let long = String(repeating: "x", count: 30)
            let answer = try await server.post("/v1/embeddings", #"{"input":"\#(long)"}"#)
            #expect(answer.status == 400 && answer.text.contains("context_length_exceeded"))
            #expect(answer.text.contains("30") && answer.text.contains("20"))
            let cut = try await server.post("/v1/embeddings", #"{"input":"\#(long)","truncate_prompt_tokens":-1}"#)
            #expect(cut.status == 200 && cut.text.contains(#""prompt_tokens":20"#))
        }
    }

    @Test func everyKindOfModelSaysWhatItDoesNot() async throws {
        try await run { server in
            for (path, body) in [
                ("/v1/chat/completions", #"{"messages":[{"role":"user","content":"x"}]}"#),
                ("/v1/completions", #"{"prompt":"x"}"#), ("/generate", #"{"text":"x"}"#),
            ] {
                let answer = try await server.post(path, body)
                #expect(answer.status == 400 && answer.text.contains("unsupported_endpoint"), "\(path)")
                #expect(answer.text.contains("BertModel") && answer.text.contains("/v1/embeddings"))
            }
            #expect(try await server.get("/health").status == 200)
            #expect(try await server.get("/health_generate").status == 200)
            #expect(try await server.get("/get_model_info").text.contains(#""is_generation":false"#))
            #expect(try await server.get("/v1/models").text.contains(#""max_model_len":20"#))
            #expect(try await server.get("/metrics").text.contains("radish_embedded_texts_total"))
            #expect(try await server.post("/tokenize", #"{"prompt":"hi"}"#).text.contains("[104,105]"))
        }
        try await TestServer.run { server in
            for path in ["/v1/embeddings", "/encode", "/v1/rerank"] {
                let answer = try await server.post(path, #"{"input":"x"}"#)
                #expect(answer.status == 400 && answer.text.contains("generates text"), "\(path)")
            }
        }
        try await run(isReranker: true) { server in
            let answer = try await server.post("/v1/embeddings", #"{"input":"x"}"#)
            #expect(answer.status == 400 && answer.text.contains("/v1/rerank"))
        }
    }

    @Test func rerankingOrdersDocuments() async throws {
        try await run(isReranker: true) { server in
            let answer = try await server.post(
                "/v1/rerank", #"{"query":"a","documents":["ccc",{"text":"b"},"dd"],"top_n":2}"#)
            #expect(answer.status == 200)
            let order = answer.text.split(separator: #"{"index":"#).dropFirst().compactMap { Int($0.prefix(1)) }
            #expect(order == [1, 2])
            #expect(answer.text.contains(#""document":{"text":"b"}"#) && answer.text.contains(#""total_tokens":9"#))
            let score = try await server.post("/v1/score", #"{"text_1":"a","text_2":["b","cc"]}"#)
            #expect(score.status == 200 && score.text.contains(#""object":"score","score":0.11920292"#))
            let wrong = try await server.post("/v1/score", #"{"text_1":["a","b"],"text_2":["c"]}"#)
            #expect(wrong.status == 400 && wrong.text.contains("text_2"))
        }
    }

    @Test func encodeIsSGLangs() async throws {
        try await run { server in
            let one = try await server.post("/encode", #"{"text":"A"}"#).text
            #expect(one.hasPrefix(#"{"embedding":["#) && one.contains(#""prompt_tokens":1"#))
            let two = try await server.post("/encode", #"{"text":["A","BC"]}"#).text
            #expect(two.hasPrefix(#"[{"embedding":["#) && two.contains(#""prompt_tokens":2"#))
            let missing = try await server.post("/encode", "{}")
            #expect(missing.status == 400 && missing.text.contains(#""param":"text""#))
        }
    }
}
