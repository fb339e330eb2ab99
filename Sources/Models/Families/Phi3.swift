import Checkpoint

/// Phi-3, Phi-3.5 and Phi-4 (arXiv 2404.14219): fused projections, heads that turn in part, longrope.
enum Phi3: DecoderFamily {
    static let architecture = "Phi3ForCausalLM"
    static let modelType = "phi3"

    static func spec(_ config: ModelConfig) throws -> DecoderSpec {
        var spec = try DecoderSpec(architecture, config, allows: .partialRotation)
        switch config.rope.scaling {
        case .none, .longrope: break
        default:
            throw config.unsupported(
                "rope_scaling.rope_type", found: "another", "\(architecture) runs with default and longrope")
        }
        spec.fusions = [.queryKeyValue, .gateUp]
        spec.windows = [Int?](repeating: config.windowSize(nil), count: spec.layerCount)
        return spec
    }
}
