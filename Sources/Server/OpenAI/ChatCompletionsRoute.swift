import EngineInterface
import Glibc
import Hummingbird
import TextGeneration
import WireTypes

/// `POST /v1/chat/completions`.
struct ChatCompletionsRoute: Sendable {
    let parts: ServerParts

    func handle(_ request: Request, _ context: ServerContext) async throws -> Response {
        let engine = try parts.model.engine()
        let json = try await RequestBodyReading.json(request, context, parts.configuration)
        let body: ChatCompletionRequest
        do { body = try ChatCompletionRequest(json) } catch { throw ErrorMapping.failure(error) }
        let model = try parts.modelName(body.options.model)
        let id = body.options.requestID ?? RequestIdentity.random("chatcmpl-")
        let names = FieldNames(prompt: "messages", ["max_tokens": body.sampling.maxTokensPath])
        let textRequest = Self.textRequest(body, id: id, engine)
        let choices = body.sampling.count
        let connection = await context.connection()
        let running = try await connection.whileOpen { [parts] in
            try await parts.start([textRequest], choices: choices, engine, names)
        }
        let texts = TokenTexts(tokenizer: engine.assets.tokenizer)
        let created = time(nil)
        let cacheReports = body.options.cacheReport ? CacheReportSource(ids: running.ids, engine: engine) : nil
        if body.options.stream {
            var writer = ChatEventWriter(
                chunks: ChatChunks(id: id, created: created, model: model, includeUsage: body.options.includeUsage),
                texts: body.topLogprobs == nil ? nil : texts, options: body.options, choices: choices)
            writer.cacheReports = cacheReports
            return await parts.events.response(running, writer, request, context, names)
        }
        let record = context.record
        let answers = try await connection.whileOpen {
            try await running.collect(keepsTokens: body.topLogprobs != nil, record, names)
        }
        var tally = UsageTally(choices: choices)
        for (index, answer) in answers.enumerated() { tally.add(answer, index: index) }
        var response = ChatCompletionResponse(
            id: id, created: created, model: model,
            choices: answers.map { answer in
                ChatCompletionResponse.Choice(
                    content: answer.text, reasoning: answer.reasoning, calls: answer.calls.map(WireToolCall.init),
                    logprobs: body.topLogprobs == nil ? nil : texts.logprobs(answer.contentTokens),
                    finish: FinishedBy(answer.finish))
            },
            usage: tally.usage, prompt: body.options.promptLogprobs.map { _ in texts.logprobs(answers[0].prompt) })
        if body.options.returnsCachedDetails { response.cachedDetails = tally.usage.cachedDetails }
        response.cacheReport = cacheReports?.json
        record.noteEnd(tally.usage, finish: response.choices[0].finish.name)
        return Response(json: response.json)
    }

    /// What the engine gets; also for the APIs whose requests are brought into the form of this one.
    static func textRequest(_ body: ChatCompletionRequest, id: String, _ engine: TextEngine) -> TextRequest {
        var request = TextRequest(
            id: id,
            prompt: .chat(ChatPrompt(body)),
            sampling: body.sampling.parameters(engine.assets.defaultSampling, topLogprobs: body.topLogprobs),
            stop: body.sampling.stop, includeStop: body.sampling.includeStop,
            skipSpecialTokens: body.sampling.skipSpecialTokens, cacheNamespace: body.options.cacheSalt,
            priority: body.options.priority,
            promptLogprobs: body.options.promptLogprobs.map { PromptLogprobs(top: $0) },
            keptPromptTokens: body.options.truncatePromptTokens)
        request.output.separatesReasoning = body.separatesReasoning
        request.output.streamsReasoning = body.streamsReasoning
        request.output.functions = body.tools.tools.map(\.name)
        for tool in body.tools.tools { request.output.texts[tool.name] = tool.textParameters }
        request.output.mayReason = true
        request.stopPatterns = body.sampling.stopPatterns
        request.constrain(body.sampling)
        request.constrain(body.tools, body.sampling.constraintOptions)
        return request
    }
}

/// The events of a streamed chat answer: who speaks, the text piece by piece, why it ended, the counts.
struct ChatEventWriter: EventWriter {
    private let chunks: ChatChunks
    /// Nil where no log-probabilities were asked for.
    private let texts: TokenTexts?
    private let options: RequestOptions
    /// Nil where not asked for.
    var cacheReports: CacheReportSource?
    private var held: [HeldTokens]
    private var tally: UsageTally

    init(chunks: ChatChunks, texts: TokenTexts?, options: RequestOptions, choices: Int) {
        self.chunks = chunks
        self.texts = texts
        self.options = options
        held = Array(repeating: HeldTokens(), count: choices)
        tally = UsageTally(choices: choices)
    }

    var usage: Usage { tally.usage }

    mutating func begin(to bytes: inout [UInt8]) {
        for index in held.indices { chunks.role(index: index, usage: nil, to: &bytes) }
    }

    mutating func write(_ update: AnswerUpdate, to bytes: inout [UInt8]) {
        tally.add(update)
        let usage = options.continuousUsage ? tally.usage(of: update.index) : nil
        if let texts {
            let tokens = held[update.index].release(with: update)
            if !tokens.isEmpty || update.hasText { delta(update, texts.logprobs(tokens), usage, to: &bytes) }
        } else if update.hasText {
            delta(update, nil, usage, to: &bytes)
        }
        // A failure is an event of its own, not the end of a choice.
        if let finish = update.finish, !finish.isFailure {
            chunks.finish(index: update.index, FinishedBy(finish), usage: usage, to: &bytes)
        }
    }

    private func delta(
        _ update: AnswerUpdate, _ logprobs: [TokenLogprobs]?, _ usage: Usage?, to bytes: inout [UInt8]
    ) {
        chunks.delta(
            index: update.index, text: update.text, reasoning: update.reasoning,
            calls: update.calls.map(WireToolCall.init), logprobs: logprobs, usage: usage, to: &bytes)
    }

    mutating func end(to bytes: inout [UInt8]) {
        if options.returnsCachedDetails { chunks.cachedDetails(tally.usage.cachedDetails, to: &bytes) }
        if let cacheReports { chunks.cacheReport(cacheReports.json, to: &bytes) }
        if options.includeUsage { chunks.total(tally.usage, to: &bytes) }
    }
}

extension WireToolCall {
    init(_ delta: CallDelta) {
        self.init(index: delta.index, id: delta.id, name: delta.name, arguments: delta.arguments)
    }
}

extension TextFinish {
    var isFailure: Bool {
        if case .failed = reason { return true }
        return false
    }
}
