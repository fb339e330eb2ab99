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

    /// The line of a module, cut at its spaces.
    private static func line(_ module: String, _ text: String) -> [String] {
        text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }.first { $0.first == module } ?? []
    }

    /// Matrices of several schemes beside each other, experts and a router among them, and what they take in memory.
    @Test func quantizedMatricesAreDescribedByTheirSchemes() {
        let path = "'\(Self.repository)/Tests/ModelsTests/Fixtures/qwen3-moe-mixed-f32'"
        let result = Binary.run("inspect \(path)")
        #expect(result.status == 0, "\(result.text)")
        let down = Self.line("model.layers.*.mlp.experts.*.down_proj", result.text).joined(separator: " ")
        // 16 experts of 32 × 24: 11 KiB in the file; a panel of 64 outputs each in memory.
        #expect(
            down.hasSuffix(
                "down_proj 12288 11 KiB 30 KiB 1 × F32, 8 × GPTQ, 4 bits, groups of 8, 7 × GPTQ, 8 bits, groups of 8"),
            "\(result.text)")
        let gate = Self.line("model.layers.*.mlp.gate", result.text).joined(separator: " ")
        #expect(gate.hasSuffix("gate 512 1 KiB 16 KiB 1 × F32, 1 × GPTQ, 8 bits, groups of 8"), "\(result.text)")
        #expect(result.text.contains("in memory     184 KiB as float32 (97 KiB of it read for a token)"))
        // Quantized once more, and from a file whose experts are blocks.
        let again = Binary.run(
            "inspect '\(Self.repository)/Tests/ModelsTests/Fixtures/gguf/gpt-oss-mxfp4.gguf' --quantization int4")
        #expect(again.status == 0 && again.text.contains("KiB as int4 ("), "\(again.text)")
        #expect(Self.line("model.embed_tokens", again.text)[2...] == ["12", "KiB", "4", "KiB", "1", "×", "F32"])
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
