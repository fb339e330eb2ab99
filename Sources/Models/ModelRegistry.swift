import Checkpoint

/// A group of checkpoints that one rule turns into a `DecoderSpec`.
protocol DecoderFamily: Sendable {
    /// In `architectures` of `config.json`.
    static var architecture: String { get }
    /// In `model_type`, for checkpoints without `architectures`.
    static var modelType: String { get }
    /// Numbers that published configurations leave out.
    static var defaults: [String: Int] { get }
    static func spec(_ config: ModelConfig) throws -> DecoderSpec
}

extension DecoderFamily {
    static var defaults: [String: Int] { [:] }
}

/// Which architectures run.
package enum ModelRegistry {
    private static let families: [any DecoderFamily.Type] = [
        Llama.self, Mistral.self, Mixtral.self, Qwen2.self, Qwen2MoE.self, Qwen3.self, Qwen3MoE.self, Gemma2.self,
        Gemma3.self, Phi3.self, Olmo2.self, Glm.self, Glm4.self, SmolLM3.self, Granite.self, GraniteMoE.self,
        DeepSeekV2.self, DeepSeekV3.self, GptOss.self,
    ]

    /// Names as `config.json` writes them.
    package static var architectures: [String] { families.map { $0.architecture } }

    /// - Throws: `unsupportedArchitecture` with the supported names and the nearest of them.
    static func family(_ identity: ModelIdentity) throws(ModelError) -> any DecoderFamily.Type {
        // Saved without its head a model is called `Qwen3Model`; whether the head is there is seen at the weights.
        for family in families
        where identity.architectures.contains(where: {
            $0 == family.architecture || $0 == family.architecture.replacing("ForCausalLM", with: "Model")
        }) {
            return family
        }
        if EncoderSpec.isEncoder(identity) {
            throw .unsupportedSetting(
                file: identity.file, key: "architectures", found: identity.architectures.joined(separator: ", "),
                supported: "an encoder gives vectors or scores and is run by `radish serve`; it does not generate")
        }
        if identity.architectures.isEmpty, let type = identity.modelType,
            let family = families.first(where: { $0.modelType == type })
        {
            return family
        }
        // A model for more than text, whose decoder runs alone.
        if let type = identity.textModelType, let family = families.first(where: { $0.modelType == type }) {
            return family
        }
        var found = identity.architectures.isEmpty ? identity.modelType.map { [$0] } ?? [] : identity.architectures
        if let type = identity.textModelType { found.append("with a decoder of type \(type)") }
        throw .unsupportedArchitecture(
            file: identity.file, found: found, supported: architectures, nearest: nearest(to: found.first ?? ""))
    }

    private static func nearest(to name: String) -> String {
        var best = (name: Llama.architecture, distance: Int.max)
        for candidate in architectures {
            let distance = editDistance(Array(name.lowercased().utf8), Array(candidate.lowercased().utf8))
            if distance < best.distance { best = (candidate, distance) }
        }
        return best.name
    }

    /// Levenshtein's: insertions, deletions and replacements. O(|a|·|b|), so long names are cut.
    private static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var row = Array(0...b.count)
        for (i, x) in a.prefix(256).enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, y) in b.enumerated() {
                let replaced = diagonal + (x == y ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, diagonal + 1, row[j] + 1)
            }
        }
        return row[b.count]
    }
}
