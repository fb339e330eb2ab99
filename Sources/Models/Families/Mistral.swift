import Checkpoint

/// Llama with one sliding window in all layers (Jiang et al. 2023, arXiv 2310.06825); later releases have none.
enum Mistral: DecoderFamily {
    static let architecture = "MistralForCausalLM"
    static let modelType = "mistral"

    static func spec(_ config: ModelConfig) throws -> DecoderSpec {
        var spec = try DecoderSpec(architecture, config)
        let window: Int? =
            switch config.slidingWindow {
            case .tokens(let tokens): tokens
            case .off: nil
            // The first release had 4096, and transformers takes that where nothing is said.
            case .unspecified: 4096
            }
        spec.windows = [Int?](repeating: window, count: spec.layerCount)
        return spec
    }
}
