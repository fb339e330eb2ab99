import EngineInterface
import Glibc
import Hummingbird
import TextGeneration
import WireTypes

/// `POST /v1/responses`, and what is remembered of earlier ones below it.
struct ResponsesRoute: Sendable {
    let parts: ServerParts

    static let prefix = "/v1/responses/"

    func create(_ request: Request, _ context: ServerContext) async throws -> Response {
        let engine = try parts.model.engine()
        let json = try await RequestBodyReading.json(request, context, parts.configuration)
        let body: ResponsesRequest
        let chat: ChatCompletionRequest
        var history: [JSONValue] = []
        do throws(FieldError) {
            body = try ResponsesRequest(json)
            if let previous = body.echo.previousID {
                guard let entry = parts.responses.entry(previous) else {
                    throw FieldError(
                        "previous_response_id",
                        .invalid("no response '\(previous)' is stored; send the whole conversation as 'input'"))
                }
                history = entry.messages
            }
            chat = try body.chat(after: history)
        } catch { throw ErrorMapping.failure(error) }
        let model = try parts.modelName(body.model)
        let id = RequestIdentity.random("resp_")
        let names = FieldNames(prompt: "input", ["max_tokens": "max_output_tokens"])
        let textRequest = ChatCompletionsRoute.textRequest(chat, id: id, engine)
        let connection = await context.connection()
        let running = try await connection.whileOpen { [parts] in
            try await parts.start([textRequest], choices: 1, engine, names)
        }
        let object = ResponseObject(id: id, created: time(nil), model: model, echo: body.echo)
        let store = storing(body, history)
        if body.stream {
            let writer = ResponseEventWriter(object: object, store: store)
            return await parts.events.response(running, writer, request, context, names)
        }
        let record = context.record
        let answers = try await connection.whileOpen { try await running.collect(keepsTokens: false, record, names) }
        // The events of a stream that nobody reads leave the whole response behind.
        var writer = ResponseEventWriter(object: object, store: store)
        var unread: [UInt8] = []
        for update in answers[0].updates(of: 0) { writer.write(update, to: &unread) }
        record.noteEnd(writer.usage, finish: FinishedBy(answers[0].finish).name)
        return Response(json: writer.object.json)
    }

    /// Remembers a response when it has ended, if the request did not forbid it.
    private func storing(
        _ body: ResponsesRequest, _ history: [JSONValue]
    ) -> @Sendable (ResponseObject) -> Void {
        guard body.echo.isStored else { return { _ in } }
        let responses = parts.responses
        return { object in
            let json = object.json
            let messages = history + body.input + object.turn
            var writer = JSONWriter()
            writer.value(.array(messages))
            responses.add(
                object.id,
                .init(json: json, items: body.items, messages: messages, bytes: 2 * (json.count + writer.bytes.count)))
        }
    }

    func get(_ request: Request, _ context: ServerContext) async throws -> Response {
        let path = request.uri.path.dropFirst(Self.prefix.count)
        guard path.hasSuffix("/input_items") else { return Response(json: try entry(String(path)).json) }
        let items = try entry(String(path.dropLast("/input_items".count))).items
        return Response { writer in
            writer.field("object", "list")
            writer.arrayField("data") { writer in for item in items { writer.value(item) } }
            writer.field("has_more", false)
        }
    }

    func delete(_ request: Request, _ context: ServerContext) async throws -> Response {
        let id = String(request.uri.path.dropFirst(Self.prefix.count))
        guard parts.responses.remove(id) else { throw Self.missing(id) }
        return Response { writer in
            writer.field("id", id)
            writer.field("object", "response")
            writer.field("deleted", true)
        }
    }

    /// Only background responses can be cancelled, and there are none.
    func cancel(_ request: Request, _ context: ServerContext) async throws -> Response {
        throw RequestFailure.invalid(
            "Only responses with 'background' can be cancelled. Close the connection to end this one.",
            code: "unsupported_endpoint")
    }

    private func entry(_ id: String) throws(RequestFailure) -> ResponseStore.Entry {
        guard let entry = parts.responses.entry(id) else { throw Self.missing(id) }
        return entry
    }

    private static func missing(_ id: String) -> RequestFailure {
        RequestFailure(
            .notFound,
            ErrorBody(message: "No response '\(id)' is stored.", parameter: "response_id", code: "response_not_found"))
    }
}
