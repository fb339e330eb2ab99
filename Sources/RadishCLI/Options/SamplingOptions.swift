import ArgumentParser
import EngineInterface

/// How the next token is chosen, for the commands that generate themselves.
struct SamplingOptions: ParsableArguments {
    @Option(
        name: [.customLong("max-tokens"), .customLong("max-new-tokens")],
        help: ArgumentHelp("Most tokens to generate.", valueName: "n"))
    var maxTokens: Int?

    @Option(help: "0 takes the most likely token each time; the model's default otherwise.")
    var temperature: Float?

    @Option(name: .customLong("top-p"), help: "Keep the most likely tokens up to this mass.")
    var topP: Float?

    @Option(name: .customLong("top-k"), help: "Keep this many most likely tokens.")
    var topK: Int?

    @Option(help: ArgumentHelp("Same seed, same text.", valueName: "n"))
    var seed: UInt64?

    @Option(help: ArgumentHelp("Text that ends the answer; may be given several times.", valueName: "text"))
    var stop: [String] = []

    /// - Parameter defaults: of the model.
    func parameters(_ defaults: SamplingParameters) -> SamplingParameters {
        var result = defaults
        if let maxTokens { result.maxTokens = maxTokens }
        if let temperature { result.temperature = temperature }
        if let topP { result.topP = topP }
        if let topK { result.topK = topK }
        result.seed = seed
        return result
    }
}
