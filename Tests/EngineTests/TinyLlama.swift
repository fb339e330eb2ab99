import Checkpoint

/// A Llama of one layer, made in memory, whose weights a test may damage.
struct TinyLlama {
    static let vocabulary = 64
    static let width = 32

    private var tensors: [(name: String, shape: [Int], values: [Float])] = []

    init() {
        let width = Self.width
        let layer = "model.layers.0."
        add("model.embed_tokens.weight", [Self.vocabulary, width])
        add("model.norm.weight", [width], constant: 1)
        add(layer + "input_layernorm.weight", [width], constant: 1)
        add(layer + "post_attention_layernorm.weight", [width], constant: 1)
        for name in ["q", "k", "v", "o"] { add(layer + "self_attn.\(name)_proj.weight", [width, width]) }
        for name in ["gate", "up", "down"] { add(layer + "mlp.\(name)_proj.weight", [width, width]) }
    }

    private mutating func add(_ name: String, _ shape: [Int], constant: Float? = nil) {
        let count = shape.reduce(1, *)
        // Small, and no two rows alike.
        let values = (0..<count).map { constant ?? Float(($0 * 7919 + tensors.count * 31) % 113 - 56) / 200 }
        tensors.append((name, shape, values))
    }

    /// Replaces one value of a tensor.
    mutating func set(_ name: String, at index: Int, to value: Float) {
        for place in tensors.indices where tensors[place].name == name { tensors[place].values[index] = value }
    }

    mutating func remove(_ name: String) { tensors.removeAll { $0.name == name } }

    /// The bytes stay for as long as the test process lives.
    func files(weights: Bool = true) -> ModelFiles {
        let config = """
            {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": \(Self.vocabulary),
             "hidden_size": \(Self.width), "intermediate_size": \(Self.width), "num_hidden_layers": 1,
             "num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 16, "rms_norm_eps": 1e-5,
             "max_position_embeddings": 256, "tie_word_embeddings": true}
            """
        var files = [("config.json", Array(config.utf8))]
        if weights { files.append(("model.safetensors", safetensors())) }
        return ModelFiles.embedded(
            files.map { name, contents in
                let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: contents.count, alignment: 64)
                memory.copyBytes(from: contents)
                return (name, UnsafeRawBufferPointer(memory))
            }, description: "test")
    }

    private func safetensors() -> [UInt8] {
        var entries: [String] = []
        var data: [UInt8] = []
        for (name, shape, values) in tensors {
            let start = data.count
            for value in values {
                for shift in stride(from: 0, to: 32, by: 8) {
                    data.append(UInt8(truncatingIfNeeded: value.bitPattern >> shift))
                }
            }
            entries.append(#""\#(name)":{"dtype":"F32","shape":\#(shape),"data_offsets":[\#(start),\#(data.count)]}"#)
        }
        let header = Array("{\(entries.joined(separator: ","))}".utf8)
        return (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) } + header + data
    }
}
