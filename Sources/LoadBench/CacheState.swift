package import WireTypes

/// What the server's prefix cache held before a run, and what the run got out of it: numbers without this cannot be
/// compared with other numbers.
package struct CacheState: Sendable, Equatable {
    package enum Before: Sendable, Equatable {
        /// Empty: just started, or emptied by `--flush-cache`.
        case cold
        /// Holds so many tokens; nil: some.
        case primed(tokens: Int?)
        case unknown

        var words: String {
            switch self {
            case .cold: "cold"
            case .primed(let tokens?): "primed (\(tokens) tokens)"
            case .primed(nil): "primed"
            case .unknown: "unknown"
            }
        }

        var name: String {
            switch self {
            case .cold: "cold"
            case .primed: "primed"
            case .unknown: "unknown"
            }
        }
    }

    /// Counters of a server at one moment.
    package struct Reading: Sendable, Equatable {
        package var promptTokens: Int?
        package var cachedPromptTokens: Int?
        /// Tokens the cache holds now.
        package var residentTokens: Int?

        package init(promptTokens: Int? = nil, cachedPromptTokens: Int? = nil, residentTokens: Int? = nil) {
            self.promptTokens = promptTokens
            self.cachedPromptTokens = cachedPromptTokens
            self.residentTokens = residentTokens
        }

        /// From `/server_info` of Radish.
        package init(serverInformation: JSONValue) {
            func number(_ path: String...) -> Int? {
                var value = serverInformation
                for name in path {
                    guard case .object(let object) = value, let next = object[name] else { return nil }
                    value = next
                }
                if case .int(let number) = value { return number }
                return nil
            }
            promptTokens = number("tokens", "prompt")
            cachedPromptTokens = number("tokens", "cached_prompt")
            if let pages = number("pages", "cached"), let size = number("page_size") { residentTokens = pages * size }
        }

        /// From the Prometheus text of vLLM or SGLang.
        package init(metrics: String) {
            func sum(_ names: [String]) -> Int? {
                var total: Double?
                for line in metrics.split(separator: "\n") where !line.hasPrefix("#") {
                    guard names.contains(where: { line.hasPrefix($0 + "{") || line.hasPrefix($0 + " ") }) else {
                        continue
                    }
                    if let value = line.split(separator: " ").last.flatMap({ Double($0) }), value.isFinite {
                        total = (total ?? 0) + value
                    }
                }
                return total.flatMap { Int(exactly: $0.rounded()) }
            }
            promptTokens = sum(["vllm:prefix_cache_queries_total", "sglang:prompt_tokens_total"])
            cachedPromptTokens = sum(["vllm:prefix_cache_hits_total", "sglang:cached_tokens_total"])
        }
    }

    package var before: Before
    package var flushed: Bool
    /// Share of the run's prompt tokens that the server says it had; nil if it does not tell.
    package var serverHitRate: Double?

    /// - Parameters:
    ///   - start: after warm-up and flush, right before the run.
    ///   - end: right after it.
    package init(start: Reading, end: Reading, flushed: Bool) {
        self.flushed = flushed
        if flushed || start.residentTokens == 0 || (start.residentTokens == nil && start.promptTokens == 0) {
            before = .cold
        } else if let tokens = start.residentTokens {
            before = .primed(tokens: tokens)
        } else if let prompts = start.promptTokens, prompts > 0 {
            before = .primed(tokens: nil)
        } else {
            before = .unknown
        }
        if let from = start.promptTokens, let to = end.promptTokens, to > from, let hits = end.cachedPromptTokens {
            serverHitRate = Double(hits - (start.cachedPromptTokens ?? 0)) / Double(to - from)
        }
    }

    func json(clientHitRate: Double?) -> JSONObject {
        var object = JSONObject([("before", .string(before.name)), ("flushed", .bool(flushed))])
        if case .primed(let tokens?) = before { object.set("resident_tokens_before", .int(tokens)) }
        object.set("hit_rate_client", clientHitRate.map { .number($0) } ?? .null)
        object.set("hit_rate_server", serverHitRate.map { .number($0) } ?? .null)
        return object
    }
}
