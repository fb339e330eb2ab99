import EngineInterface
import Hummingbird
import TextGeneration
import WireTypes

/// Ollama's `POST /api/chat` and `/api/generate`.
struct OllamaGeneration: Sendable {
    let parts: ServerParts

    func chat(_ request: Request, _ context: ServerContext) async throws -> Response {
        try await answer(request, context, generates: false)
    }

    func generate(_ request: Request, _ context: ServerContext) async throws -> Response {
        try await answer(request, context, generates: true)
    }

    private func answer(_ request: Request, _ context: ServerContext, generates: Bool) async throws -> Response {
        let engine = try parts.model.engine()
        let json = try await RequestBodyReading.json(request, context, parts.configuration)
        let body: OllamaRequest
        do { body = try OllamaRequest(json, generates: generates) } catch { throw ErrorMapping.failure(error) }
        let model = try parts.modelName(body.model)
        let lines = OllamaAnswer(model: model, generates: generates)
        let id = RequestIdentity.random("ollama-")
        let textRequest: TextRequest
        switch body.prompt {
        case .nothing: return Response(json: lines.loaded(created: Timestamp.now()))
        case .chat(let chat): textRequest = ChatCompletionsRoute.textRequest(chat, id: id, engine)
        case .raw(let completion):
            textRequest = CompletionsRoute.textRequest(completion.prompts[0], completion, id: id, engine)
        }
        let names = FieldNames(
            prompt: generates ? "prompt" : "messages", prefix: "options.", ["max_tokens": "options.num_predict"])
        let connection = await context.connection()
        let running = try await connection.whileOpen { [parts] in
            try await parts.start([textRequest], choices: 1, engine, names)
        }
        let record = context.record
        var writer = OllamaLineWriter(lines: lines, record: record, isWhole: !body.stream)
        if body.stream { return await parts.events.response(running, writer, request, context, names) }
        let answers = try await connection.whileOpen { try await running.collect(keepsTokens: true, record, names) }
        var whole = TextDelta(text: answers[0].text, tokens: answers[0].tokens)
        whole.reasoning = answers[0].reasoning
        whole.calls = answers[0].calls
        var bytes: [UInt8] = []
        writer.write(AnswerUpdate(index: 0, whole, finish: answers[0].finish), to: &bytes)
        record.noteEnd(writer.usage, finish: FinishedBy(answers[0].finish).name)
        return Response(json: bytes)
    }
}

/// Lines of JSON. Calls come whole, at the end: Ollama's clients do not join pieces.
struct OllamaLineWriter: EventWriter {
    private let lines: OllamaAnswer
    private let record: RequestRecord
    /// Everything in the last line.
    private let isWhole: Bool
    private var calls: [CallDelta] = []
    private var tally = UsageTally(choices: 1)

    init(lines: OllamaAnswer, record: RequestRecord, isWhole: Bool) {
        self.lines = lines
        self.record = record
        self.isWhole = isWhole
    }

    var usage: Usage { tally.usage }
    var contentType: String { "application/x-ndjson" }
    var doneMark: [UInt8] { [] }
    // A line that is no JSON would be an error to the clients.
    var keepAlive: [UInt8] { [] }

    func failure(_ failure: RequestFailure) -> [UInt8] { ErrorForm.ollama.json(failure) + [0x0A] }

    mutating func begin(to bytes: inout [UInt8]) {}

    mutating func write(_ update: AnswerUpdate, to bytes: inout [UInt8]) {
        tally.add(update)
        for call in update.calls { CallDelta.append(call, to: &calls) }
        if !isWhole, !update.text.isEmpty || !update.reasoning.isEmpty {
            lines.piece(
                created: Timestamp.now(), text: update.text, reasoning: update.reasoning, calls: [], to: &bytes)
        }
        guard let finish = update.finish, !finish.isFailure else { return }
        let whole = calls.map(WireToolCall.init)
        if !isWhole, !whole.isEmpty {
            lines.piece(created: Timestamp.now(), text: "", reasoning: "", calls: whole, to: &bytes)
        }
        lines.end(
            created: Timestamp.now(), text: isWhole ? update.text : "", reasoning: isWhole ? update.reasoning : "",
            calls: isWhole ? whole : [], finish: FinishedBy(finish), usage: tally.usage, times: times, to: &bytes)
    }

    mutating func end(to bytes: inout [UInt8]) {}

    private var times: OllamaAnswer.Times {
        let total = record.seconds
        let first = record.secondsToFirstToken ?? total
        return OllamaAnswer.Times(
            total: Int(total * 1e9), prompt: Int(first * 1e9), generation: Int(max(0, total - first) * 1e9))
    }
}
