import EngineInterface
import TextGeneration
import WireTypes

/// Adds up the token counts of all answers to one request. Choices of one prompt share it: it counts once.
struct UsageTally: Sendable {
    private struct Prompt: Sendable {
        var tokens = 0
        /// Nil until one of its answers was admitted.
        var cached: Int?
        var details = CachedTokensDetails()
    }

    private let choices: Int
    private var prompts: [Int: Prompt] = [:]
    private var completions: [Int: Int] = [:]
    private var reasoning: [Int: Int] = [:]
    private var forced: [Int: Int] = [:]

    /// - Parameter choices: answers for each prompt; answer `i` belongs to prompt `i / choices`.
    init(choices: Int) { self.choices = choices }

    mutating func add(_ answer: WholeAnswer, index: Int) {
        if let report = answer.report { add(report, index: index) }
        add(answer.finish, index: index)
    }

    mutating func add(_ update: AnswerUpdate) {
        if let report = update.report { add(report, index: update.index) }
        completions[update.index, default: 0] += update.tokens.count
        if let finish = update.finish { add(finish, index: update.index) }
    }

    private mutating func add(_ report: CacheReport, index: Int) {
        let isLeast = report.cachedTokens < prompts[index / choices]?.cached ?? .max
        addPrompt(report.promptTokens, cached: report.cachedTokens, index: index)
        if isLeast { prompts[index / choices]?.details = CachedTokensDetails(report) }
    }

    private mutating func add(_ finish: TextFinish, index: Int) {
        let usage = finish.usage
        reasoning[index] = finish.reasoningTokens
        forced[index] = usage.forcedTokens
        addPrompt(usage.promptTokens, cached: usage.cachedTokens, index: index)
        completions[index] = usage.completionTokens
    }

    /// Of several choices the one that found least in the cache counts: the others found what it had computed.
    private mutating func addPrompt(_ tokens: Int, cached: Int, index: Int) {
        var prompt = prompts[index / choices] ?? Prompt()
        prompt.tokens = tokens
        prompt.cached = min(cached, prompt.cached ?? .max)
        prompts[index / choices] = prompt
    }

    var usage: Usage {
        var usage = Usage()
        for prompt in prompts.values {
            usage.promptTokens += prompt.tokens
            usage.cachedTokens += prompt.cached ?? 0
            usage.cachedDetails += prompt.details
        }
        for count in completions.values { usage.completionTokens += count }
        for count in reasoning.values { usage.reasoningTokens += count }
        for count in forced.values { usage.forcedTokens += count }
        return usage
    }

    /// Counts of one answer.
    func usage(of index: Int) -> Usage {
        let prompt = prompts[index / choices] ?? Prompt()
        return Usage(
            promptTokens: prompt.tokens, completionTokens: completions[index] ?? 0, cachedTokens: prompt.cached ?? 0)
    }
}

extension CachedTokensDetails {
    init(_ report: CacheReport) {
        self.init()
        for found in report.tiers {
            switch found.tier {
            case .memory: device += found.tokens
            case .host: host += found.tokens
            case .disk: addStorage(found.tokens, "file")
            case .remote: addStorage(found.tokens, "redis")
            }
        }
    }

    private mutating func addStorage(_ tokens: Int, _ backend: String) {
        guard tokens > 0 else { return }
        storage += tokens
        storageBackend = storageBackend ?? backend
    }
}
