import Checkpoint

/// Model files made in memory.
enum TestConfiguration {
    static let llama: [(key: String, value: String)] = [
        ("architectures", #"["LlamaForCausalLM"]"#), ("model_type", #""llama""#), ("vocab_size", "96"),
        ("hidden_size", "32"), ("intermediate_size", "64"), ("num_hidden_layers", "2"), ("num_attention_heads", "4"),
        ("max_position_embeddings", "256"),
    ]

    /// `config.json` of a small Llama and further members, which win over those of the same name.
    static func files(_ members: String = "", others: [(String, [UInt8])] = []) throws -> ModelFiles {
        var text = llama.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ")
        if !members.isEmpty { text += ", " + members }
        return memory([("config.json", Array("{\(text)}".utf8))] + others)
    }

    /// The bytes stay for as long as the test process lives.
    static func memory(_ files: [(String, [UInt8])]) -> ModelFiles {
        ModelFiles.embedded(
            files.map { name, contents in
                let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: contents.count, alignment: 16)
                memory.copyBytes(from: contents)
                return (name, UnsafeRawBufferPointer(memory))
            }, description: "test")
    }

    /// A safetensors file of zeros.
    static func weights(_ tensors: [(name: String, type: String, shape: [Int])]) -> [UInt8] {
        let sizes = ["F32": 4, "F16": 2, "BF16": 2, "F64": 8, "I64": 8, "F8_E4M3": 1]
        var offset = 0
        let entries = tensors.map { tensor in
            let end = offset + tensor.shape.reduce(sizes[tensor.type] ?? 1, *)
            defer { offset = end }
            return "\"\(tensor.name)\":{\"dtype\":\"\(tensor.type)\",\"shape\":\(tensor.shape),"
                + "\"data_offsets\":[\(offset),\(end)]}"
        }
        let header = Array("{\(entries.joined(separator: ","))}".utf8)
        let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
        return length + header + [UInt8](repeating: 0, count: offset)
    }
}
