import EngineInterface
import Hummingbird
import TextGeneration
import WireTypes

/// Anthropic's `POST /v1/messages` and `/v1/messages/count_tokens`.
struct MessagesRoute: Sendable {
    let parts: ServerParts

    static let path = "/v1/messages"

    func handle(_ request: Request, _ context: ServerContext) async throws -> Response {
        let engine = try parts.model.engine()
        let json = try await RequestBodyReading.json(request, context, parts.configuration)
        let body: MessagesRequest
        do { body = try MessagesRequest(json) } catch { throw ErrorMapping.failure(error) }
        let model = try parts.modelName(body.model)
        let id = RequestIdentity.random("msg_")
        let names = FieldNames(prompt: "messages")
        var textRequest = ChatCompletionsRoute.textRequest(body.chat, id: id, engine)
        textRequest.cacheMarks = body.breakpoints.map(CacheMark.init)
        let connection = await context.connection()
        let running = try await connection.whileOpen { [parts, textRequest] in
            try await parts.start([textRequest], choices: 1, engine, names)
        }
        if body.stream {
            let writer = MessageEventWriter(events: MessageEvents(id: id, model: model))
            return await parts.events.response(running, writer, request, context, names)
        }
        let record = context.record
        let answers = try await connection.whileOpen { try await running.collect(keepsTokens: false, record, names) }
        var tally = UsageTally(choices: 1)
        tally.add(answers[0], index: 0)
        let finish = FinishedBy(answers[0].finish)
        record.noteEnd(tally.usage, finish: finish.name)
        return Response(
            json: MessageObject(
                id: id, model: model, content: answers[0].parts.flatMap(Self.content), finish: finish,
                usage: tally.usage
            ).json)
    }

    private static func content(_ part: TextDelta) -> [MessageObject.Content] {
        var content: [MessageObject.Content] = []
        if !part.reasoning.isEmpty { content.append(.thinking(part.reasoning)) }
        if !part.text.isEmpty { content.append(.text(part.text)) }
        return content + part.calls.map { .toolUse(WireToolCall($0)) }
    }

    func count(_ request: Request, _ context: ServerContext) async throws -> Response {
        let engine = try parts.model.engine()
        let json = try await RequestBodyReading.json(request, context, parts.configuration)
        let body: MessagesRequest
        do { body = try MessagesRequest(json, counts: true) } catch { throw ErrorMapping.failure(error) }
        _ = try parts.modelName(body.model)
        let textRequest = ChatCompletionsRoute.textRequest(body.chat, id: "", engine)
        do {
            let tokens = try await engine.promptTokens(textRequest)
            return Response { $0.field("input_tokens", tokens.count) }
        } catch { throw ErrorMapping.failure(error, FieldNames(prompt: "messages")) }
    }
}

extension CacheMark {
    fileprivate init(_ breakpoint: CacheBreakpoint) {
        let place: Place =
            switch breakpoint.place {
            case .tools: .behindTools
            case .message(let index): .behindMessage(index)
            case .text(let message, let bytes): .within(message: message, bytes: bytes)
            }
        self.init(place, timeToLive: breakpoint.timeToLive)
    }
}

/// The events of a streamed message: reasoning, text and each call are blocks, one after the other.
struct MessageEventWriter: EventWriter {
    private var events: MessageEvents
    private var open: MessageEvents.Block?
    private var openCall: Int?
    private var hasStarted = false
    private var tally = UsageTally(choices: 1)

    init(events: MessageEvents) { self.events = events }

    var usage: Usage { tally.usage }
    var doneMark: [UInt8] { [] }
    var keepAlive: [UInt8] { MessageEvents.ping }

    func failure(_ failure: RequestFailure) -> [UInt8] { MessageEvents.failure(failure.anthropicBody) }

    mutating func begin(to bytes: inout [UInt8]) {}

    mutating func write(_ update: AnswerUpdate, to bytes: inout [UInt8]) {
        tally.add(update)
        guard update.finish?.isFailure != true else { return }
        if !hasStarted {
            // Only now is known how much of the prompt was cached.
            hasStarted = true
            bytes += events.start(tally.usage)
        }
        say(update.reasoning, .thinking, to: &bytes)
        say(update.text, .text, to: &bytes)
        for call in update.calls { say(call, to: &bytes) }
        guard let finish = update.finish else { return }
        if open != nil { bytes += events.close() }
        open = nil
        bytes += events.end(FinishedBy(finish), tally.usage)
    }

    private mutating func say(_ text: String, _ block: MessageEvents.Block, to bytes: inout [UInt8]) {
        guard !text.isEmpty else { return }
        enter(block, to: &bytes)
        bytes += events.delta(text, of: block)
    }

    private mutating func say(_ call: CallDelta, to bytes: inout [UInt8]) {
        if call.index != openCall {
            openCall = call.index
            enter(.toolUse(id: call.id ?? RequestIdentity.random("call_"), name: call.name ?? ""), to: &bytes)
        }
        guard !call.arguments.isEmpty, let open else { return }
        bytes += events.delta(call.arguments, of: open)
    }

    private mutating func enter(_ block: MessageEvents.Block, to bytes: inout [UInt8]) {
        guard open != block else { return }
        if open != nil { bytes += events.close() }
        bytes += events.open(block)
        open = block
    }

    mutating func end(to bytes: inout [UInt8]) {}
}
