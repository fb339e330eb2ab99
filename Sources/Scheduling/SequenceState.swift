import EngineInterface
import PrefixCache

/// Everything known of one request from submission to its last event. Confined to the scheduler.
final class SequenceState {
    enum Phase {
        /// Holds no pages. Also after a retraction, with what was generated kept.
        case waiting
        /// Holds a lease and pages; prefills or decodes in each step.
        case running
    }

    let number: Int
    let id: String
    let prompt: [Int32]
    let sampling: SamplingParameters
    let namespace: Namespace
    let priority: Int
    /// Whether and from where the prompt's own tokens are scored.
    let scoring: PromptLogprobs?
    let submittedAt: Double
    /// Ids that end this generation.
    let endIDs: Set<Int32>
    let newTokenLimit: Int

    var phase = Phase.waiting
    private(set) var generated: [Int32] = []
    /// Prompt and generated tokens; what has to be fed.
    private(set) var tokens: [Int32]
    /// Tokens whose keys and values are in the pages.
    var fed = 0
    var held = HeldPages()
    /// Set while running.
    var lease: Lease?
    /// Tokens of the step that is being carried out.
    var plannedRows = 0

    /// How often it had to make room for a more urgent one.
    var preemptions = 0

    /// Last known match, to continue from.
    var match: Match?
    /// Last known sequence that computes what this one needs.
    var sharedWork: SharedWork?
    /// Tokens that were cached when it was admitted last.
    var computedFrom = 0

    /// Tokens that were cached when it was submitted.
    var firstMatch = 0
    /// What is to be kept of the prompt once it has been fed.
    var pins: [PinRequest]
    /// Keys of its full pages in the lower tiers, as far as they were needed.
    var keys: PageKeyChain?
    /// Leading full pages that the ledger of the tiers knows as this sequence's.
    var notedPages = 0
    /// Pages on their way from a tier, for it or (by number) for another that needs the same ones first.
    var fetch: TierFetch?
    var awaitedFetch: Int?
    var fetchDeadline = 0.0
    /// Leading full pages that the pool had when the tiers were asked last, or has got from them since.
    var expectedPages = 0
    var fetchesBegun = 0
    /// What was loaded for it: from which page on, and from which tier each page.
    var loaded: [(firstPage: Int, tiers: [Int])] = []

    /// Where the tokens that were loaded for it end.
    func loadedEnd(_ pageSize: Int) -> Int {
        loaded.map { ($0.firstPage + $0.tiers.count) * pageSize }.max() ?? 0
    }

    /// Whether `started` was delivered; a retracted request starts once only.
    var hasStarted = false
    var cachedTokens = 0
    /// Prompt tokens that have been scored so far, also before a retraction.
    var scores: [GeneratedToken] = []
    var hasReportedScores = false
    let constraint: OutputConstraint?
    /// Tokens of `generated` that were not sampled.
    var forcedTokens = 0

    init(number: Int, request: GenerationRequest, configuration: SchedulerConfiguration, now: Double) {
        self.number = number
        id = request.id
        prompt = request.prompt
        sampling = request.sampling
        namespace = Namespace(salt: request.cacheNamespace)
        priority = request.priority
        scoring = request.promptLogprobs
        pins = request.pins
        constraint = request.constraint
        submittedAt = now
        tokens = request.prompt
        newTokenLimit = configuration.newTokenLimit(request)
        if sampling.ignoreEOS {
            endIDs = sampling.stopTokenIDs
        } else if sampling.stopTokenIDs.isEmpty {
            endIDs = configuration.endOfSequenceIDs
        } else {
            endIDs = sampling.stopTokenIDs.union(configuration.endOfSequenceIDs)
        }
    }

    /// Tokens known but not fed yet; at least one while the request lives. One: the sequence decodes.
    var pending: Int { tokens.count - fed }

    /// Tokens that will have been fed when the output is as long as it may become.
    var finalLength: Int { prompt.count + newTokenLimit - 1 }

    var usage: GenerationUsage {
        var usage = GenerationUsage(
            promptTokens: prompt.count, completionTokens: generated.count, cachedTokens: cachedTokens)
        usage.forcedTokens = forcedTokens
        return usage
    }

    /// Takes the sampled token.
    /// - Returns: why the generation ends with it, if it does.
    func append(_ token: Int32) -> FinishReason? {
        let mayEnd = generated.count >= sampling.minTokens
        generated.append(token)
        tokens.append(token)
        if mayEnd, endIDs.contains(token) { return .stopToken(token) }
        return generated.count >= newTokenLimit ? .length : nil
    }
}
