import Checkpoint
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
        #expect(given.normalizesQueriesAndKeys && given.headDimension == 16 && given.biases == [])
        #expect(try spec("Qwen3ForCausalLM").headDimension == 128)
        #expect(try spec("LlamaForCausalLM").headDimension == 8)
    }
}
