import EngineInterface
import TextGeneration
import WireTypes

/// The cache reports of one HTTP request's generations.
struct CacheReportSource: Sendable {
    let ids: [String]
    let engine: TextEngine

    /// One report, or a list of them where there are several generations.
    var json: [UInt8] {
        if ids.count == 1 { return json(of: 0) }
        var writer = JSONWriter()
        writer.array { writer in for index in ids.indices { writer.raw(json(of: index)) } }
        return writer.bytes
    }

    func json(of index: Int) -> [UInt8] {
        let found = engine.explanations.explanation(ids[index], forTenant: true, tokenizer: engine.assets.tokenizer)
        var writer = JSONWriter()
        if let found { CacheReportJSON.write(found, to: &writer) } else { writer.null() }
        return writer.bytes
    }
}

/// The form of a cache report on the wire.
enum CacheReportJSON {
    static func write(_ explanation: CacheExplanation, to writer: inout JSONWriter) {
        writer.object { members(explanation, to: &$0) }
    }

    static func members(_ explanation: CacheExplanation, to writer: inout JSONWriter) {
        let report = explanation.report
        writer.field("prompt_tokens", report.promptTokens)
        writer.field("cached_tokens", report.cachedTokens)
        writer.objectField("cached_tokens_by_tier") { writer in
            for found in report.tiers { writer.field(found.tier.rawValue, found.tokens) }
        }
        writer.field("awaited_tokens", report.awaitedTokens)
        writer.arrayField("missed") { writer in
            for missed in report.missed {
                writer.object { writer in
                    writer.field("reason", missed.reason.rawValue)
                    writer.field("tokens", missed.tokens)
                    if missed.reason == .evicted, let ago = report.evictedSecondsAgo {
                        writer.field("seconds_ago", (ago * 1000).rounded() / 1000)
                    }
                }
            }
        }
        writer.name("divergence")
        if let difference = explanation.difference { write(difference, to: &writer) } else { writer.null() }
        writer.field("summary", explanation.summary)
    }

    private static func write(_ difference: CacheExplanation.Difference, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("token_index", difference.tokenIndex)
            writer.field("in", difference.place.path)
            switch difference.place {
            case .message(_, let role): writer.field("role", role)
            case .tool(_, let name): writer.field("tool", name)
            case .prompt, .template: break
            }
            writer.field("text_before", difference.before)
            writer.field("prompt_text", difference.promptText)
            writer.field("cached_text", difference.cachedText)
            writer.field("text_after", difference.after)
            writer.field("looks_like", difference.likeness?.rawValue)
            writer.field("prompt_tokens_that_differ", difference.promptTokens)
            writer.field("cached_tokens_that_differ", difference.cachedTokens)
            writer.field("tokens_the_same_again", difference.sameAgainTokens)
        }
    }
}
