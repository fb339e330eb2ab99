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

    @Test func whatIsNotServedIsSaid() throws {
        let result = Binary.run("inspect '\(Self.repository)/Tests/CheckpointTests/Fixtures/quantized/gptq-4bit'")
        #expect(result.status == 1)
        #expect(result.text.contains("GPTQ, 4 bits") && result.text.contains("no: "))
        #expect(Binary.run("inspect /nowhere").status == 1)
    }

    @Test func qualityComparesEverySchemeWithTheReference() throws {
        let result = Binary.run("bench quality --sequences 2 --length 24")
        #expect(result.status == 0)
        for scheme in ["float16", "int8", "int4", "fp8", "mxfp4", "KV cache in fp8_e4m3", "KV cache in int8"] {
            #expect(result.text.contains("| \(scheme) | 0.0"))
        }
    }
}
