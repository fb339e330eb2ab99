import Tensors

/// `quantization_config` of `config.json`, as far as the tensors do not say it themselves: which matrix is quantized with
/// how many bits in which groups follows from the tensors, so that mixed checkpoints need no rules.
struct QuantizationConfig: Sendable, Equatable {
    enum Method: String, Sendable, CaseIterable {
        case gptq, awq, fp8, bitsandbytes, mxfp4, modelopt
        case fbgemmFP8 = "fbgemm_fp8"
        case compressedTensors = "compressed-tensors"
    }

    let method: Method
    /// GPTQ's format v1, in which zero points are stored less one.
    var storesZerosLessOne = true
    /// `weight_block_size`
    var blockSize: [Int]?
    /// compressed-tensors: inputs of int8 matrices are quantized row by row while the model runs (W8A8).
    var quantizesInputs = false
    /// What the dequantized matrices are rounded to: the model's own type.
    var dtype: DType = .bfloat16

    /// - Returns: nil for a checkpoint that is not quantized.
    /// - Throws: `unsupported` for a method or layout that is not read, `configuration` for an impossible value.
    init?(_ config: ConfigSection) throws(CheckpointError) {
        let key = ["quantization_config", "compression_config"].first { config.has($0) }
        guard let key, let section = try config.section(key) else { return nil }
        let name = try section.string("quant_method") ?? (key == "compression_config" ? "compressed-tensors" : "")
        let known = Method.allCases.map(\.rawValue).sorted().joined(separator: ", ")
        guard let method = Method(rawValue: name) else {
            throw .unsupported(
                file: config.file, key: section.path("quant_method"), found: "\"\(name)\"",
                supported: "supported are \(known), and GGUF files")
        }
        self.method = method
        func layout(_ key: String, _ supported: [String]) throws(CheckpointError) -> String? {
            guard let found = try section.string(key) else { return nil }
            guard supported.contains(found.lowercased()) else {
                throw .unsupported(
                    file: config.file, key: section.path(key), found: "\(name) layout \"\(found)\"",
                    supported: "supported are \(supported.joined(separator: " and "))")
            }
            return found.lowercased()
        }
        switch method {
        case .gptq: storesZerosLessOne = try layout("checkpoint_format", ["gptq", "gptq_v2"]) != "gptq_v2"
        case .awq: _ = try layout("version", ["gemm"])
        case .compressedTensors:
            _ = try layout(
                "format",
                [
                    "dense", "pack-quantized", "int-quantized", "float-quantized", "naive-quantized",
                    "nvfp4-pack-quantized", "mxfp4-pack-quantized", "mixed-precision",
                ])
            quantizesInputs = try Self.quantizesInputs(section.section("config_groups"))
        default: break
        }
        blockSize = try section.integers("weight_block_size", in: 1...(1 << 20))
        var type = try config.string("dtype")
        if type == nil { type = try config.string("torch_dtype") }
        switch type {
        case "float32": dtype = .float32
        case "float16": dtype = .float16
        default: dtype = .bfloat16
        }
    }

    /// Whether all groups whose weights are int8 also have int8 inputs, symmetric and with a scale for each token that is
    /// found while the model runs. Scales that stand in the checkpoint are not used.
    private static func quantizesInputs(_ groups: ConfigSection?) throws(CheckpointError) -> Bool {
        func isInt8(_ scheme: ConfigSection) -> Bool {
            (try? scheme.integer("num_bits", in: 1...64)) == 8 && (try? scheme.string("type")) ?? "int" == "int"
        }
        var found = false
        for key in groups?.keys ?? [] {
            guard let group = try groups?.section(key), let weights = try group.section("weights"), isInt8(weights)
            else { continue }
            guard let inputs = try group.section("input_activations"), isInt8(inputs),
                (try? inputs.boolean("dynamic")) == true, (try? inputs.string("strategy")) == "token",
                (try? inputs.boolean("symmetric")) ?? true
            else { return false }
            found = true
        }
        return found
    }
}
