/// Rotary position embedding as the configuration asks for it.
package struct RopeParameters: Sendable, Equatable {
    /// Base of the geometric series of frequencies.
    package var theta: Double
    package var scaling: RopeScaling
    /// Share of the head's dimensions that turn; 1 unless `partial_rotary_factor` says otherwise.
    package var rotaryShare: Double

    package init(theta: Double, scaling: RopeScaling = .none, rotaryShare: Double = 1) {
        self.theta = theta
        self.scaling = scaling
        self.rotaryShare = rotaryShare
    }
}

/// How the frequencies are stretched to reach a longer context than the pretraining had.
package enum RopeScaling: Sendable, Equatable {
    case none
    /// Position interpolation (Chen et al. 2023, arXiv 2306.15595): all frequencies divided by `factor`.
    case linear(factor: Double)
    /// Llama 3.1: long wavelengths divided by `factor`, short ones kept, between them a linear blend.
    case llama3(factor: Double, lowFrequency: Double, highFrequency: Double, originalContext: Int)
    /// Peng et al. 2023, arXiv 2309.00071.
    case yarn(Yarn)
    /// A divisor for each frequency, as GGUF files of Llama 3.1 carry them.
    case factors([Double])
    /// Ding et al. 2024, arXiv 2402.13753: a divisor for each frequency, and another amplitude.
    case longrope(LongRope)

    package struct LongRope: Sendable, Equatable {
        /// Divisors of a model that reaches no further than its pretraining did, and of one that does. Which of them
        /// counts is settled once, by the longest sequence: frequencies that changed while a sequence grows would
        /// forbid reusing a prefix.
        package var short: [Double]
        package var long: [Double]
        package var originalContext: Int
        package var longestSequence: Int
        package var attentionFactor: Double?
        package var factor: Double?

        package var factors: [Double] { longestSequence > originalContext ? long : short }
    }

    package struct Yarn: Sendable, Equatable {
        package var factor: Double
        package var originalContext: Int
        package var betaFast: Double = 32
        package var betaSlow: Double = 1
        /// Given in place of the rule of the paper.
        package var attentionFactor: Double?
        package var mscale: Double?
        package var mscaleAllDimensions: Double?
        /// Round the bounds of the ramp to whole dimensions.
        package var truncates = true

        package init(factor: Double, originalContext: Int) {
            self.factor = factor
            self.originalContext = originalContext
        }
    }

    /// Longest sequence, given `max_position_embeddings`: published configurations state it either before (linear) or
    /// after scaling.
    func contextLength(_ positions: Int) -> Int {
        switch self {
        case .none, .llama3, .factors, .longrope: positions
        case .linear(let factor): Self.scaled(positions, by: factor)
        case .yarn(let yarn): max(positions, Self.scaled(yarn.originalContext, by: yarn.factor))
        }
    }

    private static func scaled(_ positions: Int, by factor: Double) -> Int {
        Int(min(Double(positions) * factor, Double(ModelConfig.largestContext)))
    }
}

extension RopeParameters {
    /// Reads `rope_parameters` (transformers 5), or `rope_scaling` with `rope_theta` beside it.
    /// Layers with a sliding window may have parameters of their own (`local`).
    static func decode(
        _ config: ConfigSection, positions: Int
    ) throws(CheckpointError) -> (main: RopeParameters, local: RopeParameters?) {
        let theta = try config.positive("rope_theta") ?? 10_000
        let share = try fraction("partial_rotary_factor", of: config) ?? 1
        func read(_ section: ConfigSection) throws(CheckpointError) -> RopeParameters {
            RopeParameters(
                theta: try section.positive("rope_theta") ?? theta,
                scaling: try RopeScaling.decode(section, config, positions: positions),
                rotaryShare: try fraction("partial_rotary_factor", of: section) ?? share)
        }
        let scaling = try config.section("rope_scaling")
        let parameters = try config.section("rope_parameters")
        guard let section = scaling ?? parameters else {
            return (RopeParameters(theta: theta, rotaryShare: share), nil)
        }
        guard section.keys.contains("full_attention") || section.keys.contains("sliding_attention") else {
            return (try read(section), nil)
        }
        for key in section.keys where key != "full_attention" && key != "sliding_attention" {
            throw .unsupported(
                file: config.file, key: section.path(key), found: "a type of layer",
                supported: "full_attention and sliding_attention are supported")
        }
        let main = try section.section("full_attention").map(read)
        let local = try section.section("sliding_attention").map(read)
        return (main ?? RopeParameters(theta: theta, rotaryShare: share), local)
    }

    private static func fraction(_ key: String, of section: ConfigSection) throws(CheckpointError) -> Double? {
        try section.number(key, "a number above 0, at most 1") { $0 > 0 && $0 <= 1 }
    }
}

extension RopeScaling {
    fileprivate static func decode(
        _ section: ConfigSection, _ config: ConfigSection, positions: Int
    ) throws(CheckpointError) -> RopeScaling {
        let typeKey = section.has("rope_type") ? "rope_type" : "type"
        let type = try section.string(typeKey) ?? "default"
        let factor = try section.number("factor", "a number from 1") { $0 >= 1 }
        func required(_ value: Double?, _ key: String) throws(CheckpointError) -> Double {
            guard let value else { throw section.failure(key, expected: "a number, as rope type \(type) needs it") }
            return value
        }
        switch type {
        case "default": return .none
        case "frequency_factors":
            return .factors(try section.positives("factors"))
        case "linear": return .linear(factor: try required(factor, "factor"))
        case "llama3":
            let low = try required(section.positive("low_freq_factor"), "low_freq_factor")
            let high = try required(section.positive("high_freq_factor"), "high_freq_factor")
            guard high > low else { throw section.failure("high_freq_factor", expected: "more than low_freq_factor") }
            return .llama3(
                factor: try required(factor, "factor"), lowFrequency: low, highFrequency: high,
                originalContext: try originalContext(section, config) ?? positions)
        case "longrope", "su":
            return .longrope(
                LongRope(
                    short: try section.positives("short_factor"), long: try section.positives("long_factor"),
                    originalContext: try originalContext(section, config) ?? positions, longestSequence: positions,
                    attentionFactor: try section.positive("attention_factor"), factor: factor))
        case "yarn":
            let original = try originalContext(section, config) ?? positions
            var yarn = Yarn(
                factor: factor ?? max(1, Double(positions) / Double(original)), originalContext: original)
            yarn.betaFast = try section.positive("beta_fast") ?? 32
            yarn.betaSlow = try section.positive("beta_slow") ?? 1
            yarn.attentionFactor = try section.positive("attention_factor")
            yarn.mscale = try section.number("mscale", "a number from 0") { $0 >= 0 }
            yarn.mscaleAllDimensions = try section.number("mscale_all_dim", "a number from 0") { $0 >= 0 }
            yarn.truncates = try section.boolean("truncate") ?? true
            return .yarn(yarn)
        default:
            let why =
                type == "dynamic"
                ? ", because frequencies that change with the length of a sequence forbid reusing a prefix" : ""
            throw .unsupported(
                file: config.file, key: section.path(typeKey), found: "rope type \(type)",
                supported: "supported are default, linear, llama3, longrope and yarn\(why)")
        }
    }

    private static func originalContext(
        _ section: ConfigSection, _ config: ConfigSection
    ) throws(CheckpointError) -> Int? {
        let key = "original_max_position_embeddings"
        // Beside the rope parameters it counts for more, as transformers reads it.
        if let beside = try config.integer(key, in: 1...ModelConfig.largestContext) { return beside }
        return try section.integer(key, in: 1...ModelConfig.largestContext)
    }
}
