/// Token counts of one answer.
package struct Usage: Sendable, Equatable {
    package var promptTokens: Int
    package var completionTokens: Int
    /// Prompt tokens that were not computed again; 0 on a miss, never absent.
    package var cachedTokens: Int
    /// `cachedTokens` by where they were found.
    package var cachedDetails = CachedTokensDetails()
    /// Completion tokens that were reasoning.
    package var reasoningTokens = 0
    /// Completion tokens that a constraint left no choice about and that took no step of their own.
    package var forcedTokens = 0

    package init(promptTokens: Int = 0, completionTokens: Int = 0, cachedTokens: Int = 0) {
        self.promptTokens = promptTokens
        self.completionTokens = completionTokens
        self.cachedTokens = cachedTokens
    }

    /// The `usage` object of the OpenAI API.
    package func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("prompt_tokens", promptTokens)
            writer.field("completion_tokens", completionTokens)
            writer.field("total_tokens", promptTokens + completionTokens)
            writer.objectField("prompt_tokens_details") { writer in
                // A cached count above the prompt's would make clients compute negative costs.
                writer.field("cached_tokens", min(cachedTokens, promptTokens))
            }
            writer.objectField("completion_tokens_details") { writer in
                writer.field("reasoning_tokens", reasoningTokens)
                if forcedTokens > 0 { writer.field("forced_tokens", forcedTokens) }
            }
        }
    }
}
