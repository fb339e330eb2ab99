import Checkpoint

/// Qwen2 and Qwen2.5: biases on q, k and v; a sliding window in the upper layers where it is switched on.
enum Qwen2: DecoderFamily {
    static let architecture = "Qwen2ForCausalLM"
    static let modelType = "qwen2"

    static func spec(_ config: ModelConfig) throws -> DecoderSpec {
        var spec = try DecoderSpec(architecture, config)
        spec.biases = .queryKeyValue
        spec.windows = try windows(config)
        return spec
    }

    /// The window of each layer, by `layer_types` or else by `max_window_layers`.
    static func windows(_ config: ModelConfig) throws(ModelError) -> [Int?] {
        var window: Int?
        if config.usesSlidingWindow == true {
            switch config.slidingWindow {
            case .tokens(let tokens): window = tokens
            case .unspecified: window = 4096
            case .off: window = nil
            }
        }
        var windows: [Int?] = []
        for layer in 0..<config.layerCount {
            guard let type = config.layerTypes?[layer] else {
                windows.append(layer >= config.maximumWindowLayers ?? 28 ? window : nil)
                continue
            }
            switch type {
            case "full_attention": windows.append(nil)
            case "sliding_attention" where window != nil: windows.append(window)
            case "sliding_attention":
                throw .unsupportedSetting(
                    file: config.file, key: "layer_types[\(layer)]", found: "a sliding layer without a window",
                    supported: "use_sliding_window has to be true and sliding_window given")
            default:
                throw .unsupportedSetting(
                    file: config.file, key: "layer_types[\(layer)]", found: "\"\(type)\"",
                    supported: "full_attention and sliding_attention are supported")
            }
        }
        return windows
    }
}
