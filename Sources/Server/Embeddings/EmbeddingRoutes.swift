import EngineInterface
import Hummingbird
import TextGeneration
import WireTypes

/// `POST /v1/embeddings` and SGLang's `/encode`.
struct EmbeddingRoutes: Sendable {
    let parts: ServerParts

    func embeddings(_ request: Request, _ context: ServerContext) async throws -> Response {
        let service = try parts.model.embeddings(wanting: .vectors)
        let json = try await RequestBodyReading.json(request, context, parts.configuration)
        let body: EmbeddingRequest
        do { body = try EmbeddingRequest(json) } catch { throw ErrorMapping.failure(error) }
        let model = try parts.modelName(body.model)
        let size = service.engine.information.dimensions
        if let wanted = body.dimensions, wanted > size {
            throw RequestFailure.invalid(
                "Invalid value for 'dimensions': found \(wanted), but this model's vectors have \(size).",
                parameter: "dimensions", code: "invalid_value")
        }
        let made = try await vectors(body, service, context, FieldNames(prompt: "input"))
        let usage = Self.note(made.tokens, context)
        return Response { writer in
            writer.field("object", "list")
            writer.arrayField("data") { writer in
                for (index, vector) in made.vectors.enumerated() {
                    writer.object { writer in
                        writer.field("object", "embedding")
                        writer.field("index", index)
                        writer.name("embedding")
                        switch body.encoding {
                        case .float: writer.array { for number in vector { $0.float(number, limit: .infinity) } }
                        case .base64: writer.string(Base64.text(vector))
                        }
                    }
                }
            }
            writer.field("model", model)
            Self.write(usage, to: &writer)
        }
    }

    /// One object for one text, a list for a list.
    func encode(_ request: Request, _ context: ServerContext) async throws -> Response {
        let service = try parts.model.embeddings(wanting: .vectors)
        let json = try await RequestBodyReading.json(request, context, parts.configuration)
        let body: EmbeddingRequest
        do { body = try EmbeddingRequest(native: json) } catch { throw ErrorMapping.failure(error) }
        let made = try await vectors(body, service, context, FieldNames(prompt: "text"))
        _ = Self.note(made.tokens, context)
        let id = body.requestID ?? RequestIdentity.random("encode-")
        let seconds = context.record.seconds
        var writer = JSONWriter()
        func write(_ index: Int, _ writer: inout JSONWriter) {
            writer.object { writer in
                writer.arrayField("embedding") {
                    for number in made.vectors[index] { $0.float(number, limit: .infinity) }
                }
                writer.objectField("meta_info") { writer in
                    writer.field("id", made.vectors.count == 1 ? id : "\(id)-\(index)")
                    writer.nullField("finish_reason")
                    writer.field("prompt_tokens", made.tokens[index])
                    writer.field("e2e_latency", seconds)
                }
            }
        }
        if body.isList {
            writer.array { writer in for index in made.vectors.indices { write(index, &writer) } }
        } else {
            write(0, &writer)
        }
        return Response(json: writer.bytes)
    }

    private func vectors(
        _ body: EmbeddingRequest, _ service: EmbeddingService, _ context: ServerContext, _ names: FieldNames
    ) async throws -> EmbeddingService.Vectors {
        let inputs: [EmbeddingService.Input] = body.inputs.map { input in
            switch input {
            case .text(let text): .text(text)
            case .tokens(let ids): .tokens(ids)
            }
        }
        let limit = body.truncation.map { Self.limit($0, service) }
        return try await parts.embed(context, names) { () async throws(RequestError) in
            try await service.vectors(inputs, dimensions: body.dimensions, limit: limit)
        }
    }

    /// −1 stands for the context.
    static func limit(_ wanted: Int, _ service: EmbeddingService) -> Int {
        let context = service.engine.information.contextLength
        return wanted == -1 ? context : min(wanted, context)
    }

    /// For the request log.
    static func note(_ tokens: [Int], _ context: ServerContext) -> Usage {
        let usage = Usage(promptTokens: tokens.reduce(0, +))
        context.record.noteEnd(usage, finish: "stop")
        return usage
    }

    /// Nothing is completed, so only two numbers say something.
    static func write(_ usage: Usage, to writer: inout JSONWriter) {
        writer.objectField("usage") { writer in
            writer.field("prompt_tokens", usage.promptTokens)
            writer.field("total_tokens", usage.promptTokens)
        }
    }
}

extension ServerParts {
    /// Runs a call of an embedding engine as one of the open requests; it ends when the client goes away.
    func embed<Value: Sendable>(
        _ context: ServerContext, _ names: FieldNames,
        _ call: @escaping @Sendable () async throws(RequestError) -> Value
    ) async throws -> Value {
        let connection = await context.connection()
        let metrics = model.embeddingMetrics
        let start = ContinuousClock.now
        return try await connection.whileOpen { [inFlight] in
            let task = Task { () async -> Result<Value, RequestError> in
                do throws(RequestError) { return .success(try await call()) } catch { return .failure(error) }
            }
            let place = try inFlight.enter { task.cancel() }
            defer { inFlight.leave(place) }
            let result = await withTaskCancellationHandler {
                await task.value
            } onCancel: {
                task.cancel()
            }
            metrics.add((ContinuousClock.now - start).seconds)
            switch result {
            case .success(let value): return value
            case .failure(let error): throw ErrorMapping.failure(error, names)
            }
        }
    }
}
