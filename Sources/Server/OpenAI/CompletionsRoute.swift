import EngineInterface
import Glibc
import Hummingbird
import TextGeneration
import Tokenizers
import WireTypes

/// `POST /v1/completions`: one prompt or many, as text or token ids.
struct CompletionsRoute: Sendable {
    let parts: ServerParts

    func handle(_ request: Request, _ context: ServerContext) async throws -> Response {
        let engine = try parts.model.engine()
        let json = try await RequestBodyReading.json(request, context, parts.configuration)
        let body: CompletionRequest
        do { body = try CompletionRequest(json) } catch { throw ErrorMapping.failure(error) }
        let model = try parts.modelName(body.options.model)
        let id = body.options.requestID ?? RequestIdentity.random("cmpl-")
        let names = FieldNames(
            prompt: "prompt", ["max_tokens": body.sampling.maxTokensPath, "top_logprobs": "logprobs"])
        let textRequests = body.prompts.map { Self.textRequest($0, body, id: id, engine) }
        let choices = body.bestOf
        let connection = await context.connection()
        let running = try await connection.whileOpen { [parts] in
            try await parts.start(textRequests, choices: choices, engine, names)
        }
        let echoes = body.echo ? body.prompts.map { Self.text($0, engine) } : nil
        let texts = TokenTexts(
            tokenizer: engine.assets.tokenizer, showsSpecialTokens: !body.sampling.skipSpecialTokens)
        let created = time(nil)
        let cacheReports = body.options.cacheReport ? CacheReportSource(ids: running.ids, engine: engine) : nil
        if body.options.stream {
            var writer = CompletionEventWriter(
                chunks: CompletionChunks(
                    id: id, created: created, model: model, includeUsage: body.options.includeUsage),
                texts: body.topLogprobs == nil ? nil : texts, options: body.options, choices: choices,
                prompts: body.prompts.count, echoes: echoes)
            writer.cacheReports = cacheReports
            return await parts.events.response(running, writer, request, context, names)
        }
        let record = context.record
        let keepsTokens = body.topLogprobs != nil || body.bestOf > body.sampling.count
        let answers = try await connection.whileOpen {
            try await running.collect(keepsTokens: keepsTokens, record, names)
        }
        var tally = UsageTally(choices: choices)
        for (index, answer) in answers.enumerated() { tally.add(answer, index: index) }
        var response = CompletionResponse(
            id: id, created: created, model: model,
            choices: Self.best(answers, body).map { index in
                Self.choice(answers[index], body, echo: echoes?[index / choices], texts)
            },
            usage: tally.usage)
        if body.options.returnsCachedDetails { response.cachedDetails = tally.usage.cachedDetails }
        response.cacheReport = cacheReports?.json
        record.noteEnd(tally.usage, finish: response.choices[0].finish.name)
        return Response(json: response.json)
    }

    /// Places of the answers to return: all, or of each prompt's those with the highest log-probability per token.
    private static func best(_ answers: [WholeAnswer], _ body: CompletionRequest) -> [Int] {
        guard body.bestOf > body.sampling.count else { return Array(answers.indices) }
        let scores = answers.map { answer in
            answer.tokens.reduce(0) { $0 + ($1.logprob ?? 0) } / Float(max(1, answer.tokens.count))
        }
        return body.prompts.indices.flatMap { prompt in
            (prompt * body.bestOf..<(prompt + 1) * body.bestOf).sorted {
                (-scores[$0], $0) < (-scores[$1], $1)
            }.prefix(body.sampling.count)
        }
    }

    private static func choice(
        _ answer: WholeAnswer, _ body: CompletionRequest, echo: String?, _ texts: TokenTexts
    ) -> CompletionResponse.Choice {
        let tokens = (echo == nil ? [] : answer.prompt) + answer.contentTokens
        return CompletionResponse.Choice(
            text: (echo ?? "") + answer.text, logprobs: body.topLogprobs == nil ? nil : texts.logprobs(tokens),
            finish: FinishedBy(answer.finish.reason),
            prompt: body.options.promptLogprobs.map { _ in texts.logprobs(answer.prompt) })
    }

    /// With `echo` the prompt's tokens are part of the answer, log-probabilities and all.
    private static func promptLogprobs(_ body: CompletionRequest) -> PromptLogprobs? {
        let echoed = body.echo ? body.topLogprobs : nil
        guard echoed != nil || body.options.promptLogprobs != nil else { return nil }
        return PromptLogprobs(top: max(echoed ?? 0, body.options.promptLogprobs ?? 0))
    }

    static func textRequest(
        _ prompt: WirePrompt, _ body: CompletionRequest, id: String, _ engine: TextEngine
    ) -> TextRequest {
        var request = TextRequest(
            id: id, prompt: Self.prompt(prompt, body, engine),
            sampling: body.sampling.parameters(
                engine.assets.defaultSampling,
                topLogprobs: body.topLogprobs ?? (body.bestOf > body.sampling.count ? 0 : nil)),
            stop: body.sampling.stop, includeStop: body.sampling.includeStop,
            skipSpecialTokens: body.sampling.skipSpecialTokens, cacheNamespace: body.options.cacheSalt,
            priority: body.options.priority, promptLogprobs: Self.promptLogprobs(body),
            keptPromptTokens: body.options.truncatePromptTokens)
        request.stopPatterns = body.sampling.stopPatterns
        request.constrain(body.sampling)
        return request
    }

    private static func prompt(
        _ prompt: WirePrompt, _ body: CompletionRequest, _ engine: TextEngine
    ) -> TextRequest.Prompt {
        guard case .text(let text) = prompt, !body.addsSpecialTokens else { return TextRequest.Prompt(prompt) }
        return .tokens(engine.assets.tokenizer.encode(text, addSpecialTokens: false))
    }

    private static func text(_ prompt: WirePrompt, _ engine: TextEngine) -> String {
        switch prompt {
        case .text(let text): text
        case .tokens(let ids): engine.assets.tokenizer.decode(ids, skipSpecialTokens: true)
        }
    }
}

extension TextRequest.Prompt {
    init(_ prompt: WirePrompt) {
        switch prompt {
        case .text(let text): self = .text(text)
        case .tokens(let ids): self = .tokens(ids)
        }
    }
}

/// The events of a streamed text completion.
struct CompletionEventWriter: EventWriter {
    private let chunks: CompletionChunks
    /// Nil where no log-probabilities were asked for.
    private let texts: TokenTexts?
    private let options: RequestOptions
    /// Nil where not asked for.
    var cacheReports: CacheReportSource?
    private let choices: Int
    /// The prompts' texts, with `echo`.
    private let echoes: [String]?
    private var held: [HeldTokens]
    /// Characters of each answer in the tokens that were told: text may be held back behind them.
    private var offsets: [Int]
    private var tally: UsageTally

    init(
        chunks: CompletionChunks, texts: TokenTexts?, options: RequestOptions, choices: Int, prompts: Int,
        echoes: [String]?
    ) {
        self.chunks = chunks
        self.texts = texts
        self.options = options
        self.choices = choices
        self.echoes = echoes
        held = Array(repeating: HeldTokens(), count: choices * prompts)
        offsets = Array(repeating: 0, count: choices * prompts)
        tally = UsageTally(choices: choices)
    }

    var usage: Usage { tally.usage }

    mutating func begin(to bytes: inout [UInt8]) {
        // With log-probabilities the echo waits for those of the prompt.
        guard let echoes, texts == nil else { return }
        for index in held.indices {
            chunks.delta(index: index, text: echoes[index / choices], logprobs: nil, offset: 0, usage: nil, to: &bytes)
        }
    }

    mutating func write(_ update: AnswerUpdate, to bytes: inout [UInt8]) {
        tally.add(update)
        let usage = options.continuousUsage ? tally.usage(of: update.index) : nil
        if let texts, let echoes, !update.prompt.isEmpty {
            let logprobs = texts.logprobs(update.prompt)
            chunks.delta(
                index: update.index, text: echoes[update.index / choices], logprobs: logprobs, offset: 0, usage: nil,
                to: &bytes)
            offsets[update.index] = CompletionLogprobs.characters(logprobs)
        }
        if let texts {
            let tokens = held[update.index].release(with: update)
            if !tokens.isEmpty || !update.text.isEmpty {
                let logprobs = texts.logprobs(tokens)
                chunks.delta(
                    index: update.index, text: update.text, logprobs: logprobs, offset: offsets[update.index],
                    usage: usage, to: &bytes)
                offsets[update.index] += CompletionLogprobs.characters(logprobs)
            }
        } else if !update.text.isEmpty {
            chunks.delta(index: update.index, text: update.text, logprobs: nil, offset: 0, usage: usage, to: &bytes)
        }
        if let finish = update.finish, !finish.isFailure {
            chunks.finish(index: update.index, FinishedBy(finish.reason), usage: usage, to: &bytes)
        }
    }

    mutating func end(to bytes: inout [UInt8]) {
        if options.returnsCachedDetails { chunks.cachedDetails(tally.usage.cachedDetails, to: &bytes) }
        if let cacheReports { chunks.cacheReport(cacheReports.json, to: &bytes) }
        if options.includeUsage { chunks.total(tally.usage, to: &bytes) }
    }
}
