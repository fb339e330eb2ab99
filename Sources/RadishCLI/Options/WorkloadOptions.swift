import ArgumentParser
import LoadBench

/// What is sent to a server under test. Names and defaults are those of SGLang's `bench_serving`.
struct WorkloadOptions: ParsableArguments {
    enum Dataset: String, ExpressibleByArgument, CaseIterable {
        case sharegpt, custom, random, mooncake
        case randomIDs = "random-ids"
        case sharedPrefix = "generated-shared-prefix"
        case multiTurn = "multi-turn"
    }

    @Option(name: .customLong("dataset-name"), help: "Where prompts come from.")
    var dataset: Dataset = .sharegpt

    @Option(
        name: .customLong("dataset-path"),
        help: ArgumentHelp(
            "File of the dataset: ShareGPT's JSON (sharegpt, random, multi-turn), JSONL with conversations (custom), "
                + "a Mooncake trace (mooncake).", valueName: "file"))
    var datasetPath: String?

    @Option(
        name: [.customLong("num-prompts"), .customLong("num-prompt")],
        help: ArgumentHelp("Requests, or conversations.", valueName: "n"))
    var promptCount = 1000

    @Option(help: ArgumentHelp("Same seed, same prompts and arrivals.", valueName: "n"))
    var seed = 42

    @Option(
        name: [.customLong("random-input-len"), .customLong("random-input")],
        help: ArgumentHelp("random: longest prompt.", valueName: "tokens"))
    var randomInputLength = 1024

    @Option(
        name: [.customLong("random-output-len"), .customLong("random-output")],
        help: ArgumentHelp("random: longest answer.", valueName: "tokens"))
    var randomOutputLength = 1024

    @Option(
        name: .customLong("random-range-ratio"),
        help: ArgumentHelp("random: lengths are drawn evenly from ratio × length to length.", valueName: "ratio"))
    var randomRangeRatio = 0.0

    @Option(
        name: .customLong("sharegpt-output-len"),
        help: ArgumentHelp("sharegpt, custom: in place of the recorded answers' lengths.", valueName: "tokens"))
    var sharegptOutputLength: Int?

    @Option(
        name: .customLong("sharegpt-context-len"),
        help: ArgumentHelp("sharegpt, custom: longer conversations are left out.", valueName: "tokens"))
    var sharegptContextLength: Int?

    @Option(name: .customLong("prompt-suffix"), help: ArgumentHelp("Added to each prompt.", valueName: "text"))
    var promptSuffix = ""

    @Flag(name: .customLong("apply-chat-template"), help: "sharegpt, custom: render prompts through the chat template.")
    var appliesChatTemplate = false

    @Flag(name: .customLong("tokenize-prompt"), help: "random, generated-shared-prefix: send token ids.")
    var asTokens = false

    @Option(name: .customLong("gsp-num-groups"), help: ArgumentHelp("Different system prompts.", valueName: "n"))
    var groups = 64

    @Option(name: .customLong("gsp-prompts-per-group"), help: ArgumentHelp("Questions to each.", valueName: "n"))
    var promptsPerGroup = 16

    @Option(name: .customLong("gsp-system-prompt-len"), help: ArgumentHelp("Length of each.", valueName: "tokens"))
    var systemLength = 2048

    @Option(
        name: .customLong("gsp-question-len"),
        help: ArgumentHelp("Length of a question; also of later rounds of multi-turn.", valueName: "tokens"))
    var questionLength = 128

    @Option(name: .customLong("gsp-output-len"), help: ArgumentHelp("Length of an answer.", valueName: "tokens"))
    var sharedOutputLength = 256

    @Option(name: .customLong("gsp-range-ratio"), help: ArgumentHelp("As --random-range-ratio.", valueName: "ratio"))
    var sharedRangeRatio = 1.0

    @Option(
        name: .customLong("gsp-num-turns"),
        help: ArgumentHelp("Rounds of a conversation; multi-turn without a file has at least 4.", valueName: "n"))
    var turns = 1

    @Flag(name: .customLong("gsp-ordered"), help: "Group after group; otherwise shuffled.")
    var ordered = false

    @Option(
        name: .customLong("gsp-group-distribution"),
        help: ArgumentHelp("uniform, or zipf with --gsp-zipf-alpha.", valueName: "kind"))
    var distribution = "uniform"

    @Option(name: .customLong("gsp-zipf-alpha"), help: ArgumentHelp("More: fewer groups get most.", valueName: "a"))
    var zipfAlpha: Double?

    @Option(name: .customLong("mooncake-slowdown-factor"), help: ArgumentHelp("Stretches the trace.", valueName: "x"))
    var mooncakeSlowdown = 1.0

    @Option(name: .customLong("mooncake-num-rounds"), help: ArgumentHelp("Rounds of each session.", valueName: "n"))
    var mooncakeRounds = 1

    @Option(
        name: .customLong("mooncake-tokens-per-block"),
        help: ArgumentHelp("Tokens for one recorded block of 512.", valueName: "tokens"))
    var mooncakeTokens = 128

    @Option(
        name: .customLong("mooncake-workload"),
        help: ArgumentHelp("Accepted: --dataset-path says which trace.", valueName: "name"))
    var mooncakeWorkload: String?

    @Flag(name: .customLong("gsp-fast-prepare"), help: "Accepted: preparing is fast.")
    var preparesFast = false

    @Flag(name: .customLong("use-trace-timestamps"), help: "Send at the times of the dataset.")
    var usesTraceTimes = false

    func validate() throws {
        for (flag, value) in [
            ("--num-prompts", promptCount), ("--random-input-len", randomInputLength),
            ("--random-output-len", randomOutputLength), ("--gsp-num-groups", groups),
            ("--gsp-prompts-per-group", promptsPerGroup), ("--gsp-num-turns", turns),
            ("--mooncake-num-rounds", mooncakeRounds), ("--mooncake-tokens-per-block", mooncakeTokens),
        ] where value < 1 {
            throw ValidationError("\(flag) \(value): expected at least 1.")
        }
        for (flag, value) in [("--random-range-ratio", randomRangeRatio), ("--gsp-range-ratio", sharedRangeRatio)]
        where !(0...1).contains(value) {
            throw ValidationError("\(flag) \(value): expected 0 to 1.")
        }
        guard mooncakeSlowdown >= 0, mooncakeSlowdown.isFinite else {
            throw ValidationError("--mooncake-slowdown-factor \(mooncakeSlowdown): expected 0 or more.")
        }
        switch (distribution, zipfAlpha) {
        case ("uniform", nil): break
        case ("uniform", .some): throw ValidationError("--gsp-zipf-alpha needs --gsp-group-distribution zipf.")
        case ("zipf", let alpha?) where alpha > 0 && alpha.isFinite: break
        case ("zipf", _): throw ValidationError("--gsp-group-distribution zipf needs --gsp-zipf-alpha above 0.")
        default: throw ValidationError("--gsp-group-distribution \(distribution): expected uniform or zipf.")
        }
        if asTokens, turns > 1 { throw ValidationError("--tokenize-prompt and --gsp-num-turns exclude each other.") }
    }

    /// - Parameter canSendTokens: whether the backend takes ids in place of text.
    func items(codec: PromptCodec, canSendTokens: Bool) throws -> [WorkItem] {
        let seed = UInt64(bitPattern: Int64(seed))
        if asTokens, !canSendTokens {
            throw ValidationError("--tokenize-prompt: this backend takes text only.")
        }
        switch dataset {
        case .random, .randomIDs:
            var random = RandomDataset(
                count: promptCount, inputLength: randomInputLength, outputLength: randomOutputLength,
                rangeRatio: randomRangeRatio, consecutiveIDs: dataset == .randomIDs, asTokens: asTokens)
            if dataset == .random, let datasetPath { random.texts = try ConversationDataset.firstTurns(datasetPath) }
            return random.items(codec: codec, seed: seed)
        case .sharedPrefix:
            var shared = SharedPrefixDataset()
            shared.groups = groups
            shared.promptsPerGroup = promptsPerGroup
            shared.systemLength = systemLength
            shared.questionLength = questionLength
            shared.outputLength = sharedOutputLength
            shared.rangeRatio = sharedRangeRatio
            shared.turns = turns
            shared.ordered = ordered
            shared.asTokens = asTokens
            if let zipfAlpha { shared.distribution = .zipf(alpha: zipfAlpha) }
            return shared.items(codec: codec, seed: seed)
        case .sharegpt, .custom: return try conversations(try path()).items(codec: codec, seed: seed)
        case .multiTurn:
            if let datasetPath { return try conversations(datasetPath).items(codec: codec, seed: seed) }
            return MultiTurnDataset(
                conversations: promptCount, rounds: max(turns, 4), firstLength: randomInputLength,
                questionLength: questionLength, outputLength: randomOutputLength, rangeRatio: randomRangeRatio
            ).items(codec: codec, seed: seed)
        case .mooncake:
            var mooncake = MooncakeDataset(path: try path(), count: promptCount)
            mooncake.tokensPerBlock = mooncakeTokens
            mooncake.rounds = mooncakeRounds
            return try mooncake.items(codec: codec, seed: seed)
        }
    }

    private func conversations(_ path: String) -> ConversationDataset {
        var conversations = ConversationDataset(path: path, count: promptCount)
        conversations.fixedOutputLength = sharegptOutputLength
        conversations.contextLength = sharegptContextLength
        conversations.promptSuffix = promptSuffix
        conversations.appliesChatTemplate = appliesChatTemplate
        conversations.allTurns = dataset == .multiTurn
        return conversations
    }

    private func path() throws -> String {
        guard let datasetPath else {
            throw ValidationError(
                "--dataset-name \(dataset.rawValue) reads a file: give --dataset-path (nothing is downloaded), or use "
                    + "--dataset-name random or generated-shared-prefix, which need none.")
        }
        return datasetPath
    }

    var followsTrace: Bool { usesTraceTimes || dataset == .mooncake }
}
