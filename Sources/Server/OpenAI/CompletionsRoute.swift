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
        let choices = body.sampling.count
        let connection = await context.connection()
        let running = try await connection.whileOpen { [parts] in
            try await parts.start(textRequests, choices: choices, engine, names)
        }
        let echoes = body.echo ? body.prompts.map { Self.text($0, engine) } : nil
        let texts = TokenTexts(tokenizer: engine.assets.tokenizer)
        let created = time(nil)
        if body.options.stream {
            let writer = CompletionEventWriter(
                chunks: CompletionChunks(
                    id: id, created: created, model: model, includeUsage: body.options.includeUsage),
                texts: body.topLogprobs == nil ? nil : texts, options: body.options, choices: choices,
                prompts: body.prompts.count, echoes: echoes)
            return await parts.events.response(running, writer, request, context, names)
        }
        let record = context.record
        let answers = try await connection.whileOpen {
            try await running.collect(keepsTokens: body.topLogprobs != nil, record, names)
        }
        var tally = UsageTally(choices: choices)
        for (index, answer) in answers.enumerated() { tally.add(answer, index: index) }
        let response = CompletionResponse(
            id: id, created: created, model: model,
            choices: answers.enumerated().map { index, answer in
                CompletionResponse.Choice(
                    text: (echoes?[index / choices] ?? "") + answer.text,
                    logprobs: body.topLogprobs == nil ? nil : texts.logprobs(answer.contentTokens),
                    finish: FinishedBy(answer.finish.reason))
            },
            usage: tally.usage)
        record.noteEnd(tally.usage, finish: response.choices[0].finish.name)
        return Response(json: response.json)
    }

    private static func textRequest(
        _ prompt: WirePrompt, _ body: CompletionRequest, id: String, _ engine: TextEngine
    ) -> TextRequest {
        TextRequest(
            id: id, prompt: TextRequest.Prompt(prompt),
            sampling: body.sampling.parameters(engine.assets.defaultSampling, topLogprobs: body.topLogprobs),
            stop: body.sampling.stop, includeStop: body.sampling.includeStop,
            skipSpecialTokens: body.sampling.skipSpecialTokens, cacheNamespace: body.options.cacheSalt,
            priority: body.options.priority)
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
    private let choices: Int
    /// The prompts' texts, with `echo`.
    private let echoes: [String]?
    private var held: [HeldTokens]
    /// Characters sent of each answer.
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
        guard let echoes else { return }
        for index in held.indices {
            chunks.delta(index: index, text: echoes[index / choices], logprobs: nil, offset: 0, usage: nil, to: &bytes)
        }
    }

    mutating func write(_ update: AnswerUpdate, to bytes: inout [UInt8]) {
        tally.add(update)
        let usage = options.continuousUsage ? tally.usage(of: update.index) : nil
        if let texts {
            let tokens = held[update.index].release(with: update)
            if !tokens.isEmpty || !update.text.isEmpty {
                chunks.delta(
                    index: update.index, text: update.text, logprobs: texts.logprobs(tokens),
                    offset: offsets[update.index], usage: usage, to: &bytes)
                offsets[update.index] += update.text.unicodeScalars.count
            }
        } else if !update.text.isEmpty {
            chunks.delta(index: update.index, text: update.text, logprobs: nil, offset: 0, usage: usage, to: &bytes)
        }
        if let finish = update.finish, !finish.isFailure {
            chunks.finish(index: update.index, FinishedBy(finish.reason), usage: usage, to: &bytes)
        }
    }

    mutating func end(to bytes: inout [UInt8]) {
        if options.includeUsage { chunks.total(tally.usage, to: &bytes) }
    }
}
