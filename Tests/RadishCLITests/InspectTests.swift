import Glibc
import Testing

struct InspectTests {
    private static let repository =
        "/" + String(#filePath).split(separator: "/").dropLast(3).joined(separator: "/")

    @Test func theDemoModelIsDescribed() throws {
        let result = Binary.run("inspect")
        #expect(result.status == 0)
        for part in ["radish-demo", "LlamaForCausalLM", "byte-level BPE", "bytes per token", "yes, generating text"] {
            #expect(result.text.contains(part), "\(part) in:\n\(result.text)")
        }
    }

    @Test func anEncoderIsDescribedWhereItsWeightsAre() throws {
        let result = Binary.run("inspect '\(Self.repository)/Tests/ModelsTests/Fixtures/encoder-bert'")
        #expect(result.status == 0)
        #expect(result.text.contains("BertModel") && result.text.contains("yes, as embedding model"))
        #expect(result.text.contains("encoder.layer.*.attention.self.query"))
        let reranker = Binary.run("inspect '\(Self.repository)/Tests/ModelsTests/Fixtures/encoder-bert-reranker'")
        #expect(reranker.text.contains("yes, as reranker"))
    }

    /// Stacked experts are counted as what they are, and the cache by what a token leaves in it.
    @Test func expertsAndLatentPagesAreDescribed() throws {
        func text(_ fixture: String) -> String {
            let result = Binary.run("inspect '\(Self.repository)/Tests/ModelsTests/Fixtures/\(fixture)'")
            return result.text
        }
        let deepSeek = text("deepseek-v3-f32")
        // Two layers of 16 + 8 numbers in float32.
        for part in ["DeepseekV3ForCausalLM", "192 bytes per token, 2 layers", "mlp.experts.*.gate_proj"] {
            #expect(deepSeek.contains(part), "\(part) in:\n\(deepSeek)")
        }
        let gptOss = text("gpt-oss-mxfp4")
        for part in ["GptOssForCausalLM", "model.layers.*.mlp.experts.*.up_proj", "10 × MXFP4, blocks of 32"] {
            #expect(gptOss.contains(part), "\(part) in:\n\(gptOss)")
        }
    }

    @Test func whatIsNotServedIsSaid() throws {
        let result = Binary.run("inspect '\(Self.repository)/Tests/CheckpointTests/Fixtures/quantized/gptq-4bit'")
        #expect(result.status == 1)
        #expect(result.text.contains("GPTQ, 4 bits") && result.text.contains("no: "))
        #expect(Binary.run("inspect /nowhere").status == 1)
    }

    @Test func qualityComparesEverySchemeWithTheReference() throws {
        let result = Binary.run("bench quality --sequences 2 --length 24")
        #expect(result.status == 0)
        for scheme in ["float16", "int8", "int4", "fp8", "KV cache in fp8_e4m3", "KV cache in int8"] {
            #expect(result.text.contains("| \(scheme) | 0.0"))
        }
        #expect(result.text.contains("| mxfp4 | 0."))
    }
}
