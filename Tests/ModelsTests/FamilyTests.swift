import Checkpoint
import Compute
import Models
import Testing

/// What each family makes of its configuration.
@Suite struct FamilyTests {
    private func spec(_ architecture: String, _ members: String = "") throws -> DecoderSpec {
        let more = members.isEmpty ? "" : ", " + members
        return try ModelLoader.spec(TestConfiguration.files("\"architectures\": [\"\(architecture)\"]\(more)"))
    }

    @Test func llamaHasBiasesWhereItSaysSo() throws {
        #expect(try spec("LlamaForCausalLM").biases == [])
        #expect(
            try spec("LlamaForCausalLM", #""attention_bias": true"#).biases == [.queryKeyValue, .attentionOutput])
        #expect(try spec("LlamaForCausalLM", #""mlp_bias": true"#).biases == .mlp)
        // A window means nothing to Llama.
        #expect(try spec("LlamaForCausalLM", #""sliding_window": 16"#).windows == [nil, nil])
    }

    @Test func mistralTellsAnAbsentWindowFromNone() throws {
        #expect(try spec("MistralForCausalLM").windows == [4096, 4096])
        #expect(try spec("MistralForCausalLM", #""sliding_window": null"#).windows == [nil, nil])
        #expect(try spec("MistralForCausalLM", #""sliding_window": 24"#).windows == [24, 24])
    }

    @Test func qwenHasWindowsOnlyWhereTheyAreSwitchedOn() throws {
        let name = "Qwen2ForCausalLM"
        #expect(try spec(name).biases == .queryKeyValue)
        #expect(try spec(name, #""sliding_window": 24, "max_window_layers": 0"#).windows == [nil, nil])
        let on = #""use_sliding_window": true, "sliding_window": 24"#
        #expect(try spec(name, on).windows == [nil, nil])
        #expect(try spec(name, on + #", "max_window_layers": 1"#).windows == [nil, 24])
        #expect(
            try spec(name, on + #", "max_window_layers": 1, "layer_types": ["sliding_attention", "full_attention"]"#)
                .windows == [24, nil])
    }

    @Test func qwen3NormalizesHeadsOfTheirOwnSize() throws {
        let given = try spec("Qwen3ForCausalLM", #""head_dim": 16"#)
        #expect(given.queryKeyNorm == .eachHead && given.headDimension == 16 && given.biases == [])
        #expect(try spec("Qwen3ForCausalLM").headDimension == 128)
        #expect(try spec("LlamaForCausalLM").headDimension == 8)
    }

    @Test func gemmaCapsWhatIsAbsentAndNotWhatIsNull() throws {
        let name = "Gemma2ForCausalLM"
        let absent = try spec(name)
        #expect(absent.scoreCap == 50 && absent.logitCap == 30 && absent.gate == .geluTanh && absent.normOffset == 1)
        #expect(absent.windows == [4096, nil] && absent.tiesEmbeddings)
        let null = try spec(name, #""attn_logit_softcapping": null, "final_logit_softcapping": null"#)
        #expect(null.scoreCap == nil && null.logitCap == nil)
    }

    @Test func gemma3TurnsLayersWithAWindowByTheirOwnFrequencies() throws {
        let old = try spec("Gemma3ForCausalLM", #""sliding_window": 24, "sliding_window_pattern": 2"#)
        #expect(old.windows == [24, nil] && old.rotations == [.local, .main])
        #expect(old.rope.theta == 1_000_000 && old.localRope?.theta == 10_000)
    }

    @Test func longropeCountsByTheLongestSequence() throws {
        let factors = #""short_factor": [1, 1, 1, 1], "long_factor": [2, 3, 4, 5]"#
        func factor(_ original: Int) throws -> [Double] {
            let spec = try spec(
                "Phi3ForCausalLM",
                "\"rope_scaling\": {\"type\": \"longrope\", \(factors)}, \"original_max_position_embeddings\": \(original)"
            )
            guard case .longrope(let rope) = spec.rope.scaling else { return [] }
            return rope.factors
        }
        #expect(try factor(64) == [2, 3, 4, 5])
        #expect(try factor(256) == [1, 1, 1, 1])
    }

    @Test func expertsStandInTheLayersThatHaveThem() throws {
        let moe = #""num_experts": 4, "moe_intermediate_size": 24, "num_experts_per_tok": 2"#
        let all = try spec("Qwen3MoeForCausalLM", moe)
        #expect(all.experts.map { $0?.count } == [4, 4])
        #expect(try spec("Qwen3MoeForCausalLM", moe + #", "mlp_only_layers": [1]"#).experts[1] == nil)
        #expect(try spec("Qwen3MoeForCausalLM", moe + #", "decoder_sparse_step": 2"#).experts[0] == nil)
        let shared = try spec("Qwen2MoeForCausalLM", moe + #", "shared_expert_intermediate_size": 40"#)
        #expect(shared.experts[0]?.sharedSize == 40 && shared.experts[0]?.gatesShared == true)
    }
}
