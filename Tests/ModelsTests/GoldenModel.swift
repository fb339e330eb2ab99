import Checkpoint
import FoundationEssentials
import Tensors
import Testing

/// A tiny checkpoint with what Hugging Face transformers makes of it; see Tools/make_model_goldens.py.
struct GoldenModel {
    let files: ModelFiles
    let prompt: [Int32]
    let continuation: [Int32]
    /// `[position][token]`, exact up to float32.
    let logits: [[Float]]
    /// How far transformers itself is from `logits` when it computes in the stored type.
    let nativeError: Float

    static let names = [
        "llama-mha-f32", "llama31-gqa-bf16", "llama-linear-f32", "llama-yarn-f32", "mistral-window-f32",
        "qwen2-window-bf16", "qwen2-shards-f16", "qwen3-f32", "gemma2-f32", "gemma3-bf16", "gemma3-old-f32",
        "phi3-longrope-f32", "olmo2-f32", "glm-f32", "glm4-f32", "smollm3-f32", "granite-f32", "mixtral-f32",
        "qwen2-moe-f32", "qwen3-moe-f32", "qwen3-moe-mixed-f32", "granite-moe-f32", "deepseek-v2-lite-f32",
        "deepseek-v2-f32", "deepseek-v3-f32", "deepseek-v3-bf16", "gpt-oss-f32", "gpt-oss-mxfp4", "gemma3-vision-f32",
    ]

    static let fixtures = String(#filePath.dropLast("GoldenModel.swift".count)) + "Fixtures"

    private struct Facts: Decodable {
        var prompt: [Int32]
        var continuation: [Int32]
        var native_error: Float
    }

    init(_ name: String) throws {
        files = try ModelFiles.directory(Self.fixtures + "/" + name)
        let json = try #require(try files.contents(of: "golden.json"))
        let facts = try JSONDecoder().decode(Facts.self, from: Data(json))
        prompt = facts.prompt
        continuation = facts.continuation
        nativeError = facts.native_error
        let file = try SafetensorsFile(try #require(try files.mapped("golden.safetensors")))
        let tensor = try file.tensor("logits")
        let values = try #require(tensor.floats())
        let columns = tensor.shape[1]
        logits = (0..<tensor.shape[0]).map { Array(values[$0 * columns..<($0 + 1) * columns]) }
    }
}

func largestDifference(_ a: [[Float]], _ b: [[Float]]) -> Float {
    guard a.count == b.count, zip(a, b).allSatisfy({ $0.count == $1.count }) else { return .infinity }
    return zip(a, b).flatMap { zip($0, $1).map { abs($0 - $1) } }.reduce(0) { $1.isNaN ? .infinity : max($0, $1) }
}
