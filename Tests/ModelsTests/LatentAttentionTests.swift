import Checkpoint
import Compute
import Models
import Tensors
import Testing

/// What latent attention leaves in the cache, and what it is like for published sizes.
@Suite struct LatentAttentionTests {
    /// The pages themselves are weighed, not only what the layout says of them.
    @Test(arguments: ["deepseek-v2-lite-f32", "deepseek-v3-f32", "deepseek-v3-bf16"])
    func aTokenLeavesItsCompressedVectorAndItsTurnedKeyAndNoMore(name: String) throws {
        let run = try ModelRun(GoldenModel(name).files, CPUBackend(kernels: nil, threads: 1, pin: false), pages: 4)
        let spec = try ModelLoader.spec(GoldenModel(name).files)
        // kv_lora_rank and qk_rope_head_dim of the fixtures.
        let numbers = spec.layerCount * (16 + 8)
        let layout = run.model.kvLayout(pageSize: ModelRun.pageSize)
        #expect(layout.bytesPerToken == numbers * run.model.weightDType.byteCount)
        let page = try #require(run.cache.hostBytes(ofPage: 0))
        #expect(page.count == ModelRun.pageSize * layout.bytesPerToken)
    }

    /// DeepSeek-V3: 61 layers of 512 + 64 numbers, which is some 70 KB in bfloat16; 128 heads with keys and values of
    /// their own would take 4.9 MB.
    @Test func deepSeekV3TakesSeventyKilobytes() throws {
        let spec = try ModelLoader.spec(TestConfiguration.memory([("config.json", Array(Self.v3.utf8))]))
        let layout = spec.kvLayout(pageSize: 16, dtype: .bfloat16)
        #expect(layout.bytesPerToken == 61 * (512 + 64) * 2)
        #expect(spec.experts.map { $0 == nil } == (0..<61).map { $0 < 3 })
        let experts = try #require(spec.experts[3])
        #expect(
            experts.rule
                == RoutingRule(
                    .sigmoid, chosen: 8, groups: .init(count: 8, chosen: 4, best: 2), normalizes: true, scale: 2.5))
        #expect(experts.sharedSize == 2048 && experts.hasCorrection)
        // mscale 1 and mscale_all_dim 1 at a factor of 40: the scale grows, the amplitude stays.
        let mscale = 0.1 * 3.6888794541139363 + 1
        #expect(abs(Double(spec.attentionScale) - mscale * mscale / (192.0).squareRoot()) < 1e-6)
        #expect(RotaryFrequencies(spec.rope, dimensions: 64).amplitude == 1)
        #expect(spec.contextLength == 163_840)
    }

    /// As published with DeepSeek-V3, without what says nothing of the decoder.
    private static let v3 = """
        {"architectures": ["DeepseekV3ForCausalLM"], "vocab_size": 129280, "hidden_size": 7168,
        "intermediate_size": 18432, "moe_intermediate_size": 2048, "num_hidden_layers": 61, "num_attention_heads": 128,
        "num_key_value_heads": 128, "n_shared_experts": 1, "n_routed_experts": 256, "routed_scaling_factor": 2.5,
        "kv_lora_rank": 512, "q_lora_rank": 1536, "qk_rope_head_dim": 64, "v_head_dim": 128, "qk_nope_head_dim": 128,
        "topk_method": "noaux_tc", "n_group": 8, "topk_group": 4, "num_experts_per_tok": 8, "moe_layer_freq": 1,
        "first_k_dense_replace": 3, "norm_topk_prob": true, "scoring_func": "sigmoid", "hidden_act": "silu",
        "max_position_embeddings": 163840, "rms_norm_eps": 1e-06, "rope_theta": 10000, "attention_bias": false,
        "rope_scaling": {"beta_fast": 32, "beta_slow": 1, "factor": 40, "mscale": 1.0, "mscale_all_dim": 1.0,
        "original_max_position_embeddings": 4096, "type": "yarn"}}
        """
}
