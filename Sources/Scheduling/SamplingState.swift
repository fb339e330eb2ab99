package import EngineInterface

/// What the sampler needs to know of a sequence.
package struct SamplingState: Sendable {
    package var sampling: SamplingParameters
    package var prompt: [Int32]
    /// All tokens generated so far, also those from before a retraction; the next one has this array's count as index.
    package var generated: [Int32]
    /// Ids that must not be sampled now: the end ids while fewer than `minTokens` tokens were generated.
    package var forbiddenTokenIDs: Set<Int32>
    /// Whether the prompt's tokens are scored.
    package var scoring: PromptLogprobs?
    package var constraint: OutputConstraint?
    /// Ids that end this generation.
    package var endIDs: Set<Int32>
    /// Output tokens that may still come.
    package var remainingTokens: Int
}
