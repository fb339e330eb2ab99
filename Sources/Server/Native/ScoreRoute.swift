import EngineInterface
import Glibc
import Hummingbird
import TextGeneration
import Tokenizers
import WireTypes

/// SGLang's `POST /v1/score`, for models that generate: the probabilities of the label tokens after query and item.
struct ScoreRoute: Sendable {
    let parts: ServerParts

    func handle(_ request: Request, _ context: ServerContext) async throws -> Response {
        let engine = try parts.model.engine()
        let json = try await RequestBodyReading.json(request, context, parts.configuration)
        let body: ScoreRequest
        do { body = try ScoreRequest(json) } catch { throw ErrorMapping.failure(error) }
        let model = try parts.modelName(body.model)
        let names = FieldNames(prompt: "items", ["token_ids_logprob": "label_token_ids"])
        let requests = Self.requests(body, engine)
        let connection = await context.connection()
        let record = context.record
        let answers = try await connection.whileOpen { [parts] in
            let running = try await RunningAnswers.start(requests, engine, parts.inFlight, names)
            return try await running.collect(keepsTokens: true, record, names)
        }
        var tally = UsageTally(choices: 1)
        for (index, answer) in answers.enumerated() { tally.add(answer, index: index) }
        record.noteEnd(tally.usage, finish: "length")
        let usage = tally.usage
        return Response { writer in
            writer.field("object", "scoring")
            writer.field("model", model)
            writer.arrayField("scores") { writer in
                for answer in answers {
                    writer.array { writer in
                        for score in Self.scores(answer.tokens.first, body) { writer.double(score) }
                    }
                }
            }
            writer.name("usage")
            usage.write(to: &writer)
        }
    }

    private static func requests(_ body: ScoreRequest, _ engine: TextEngine) -> [TextRequest] {
        let id = RequestIdentity.random("score-")
        var sampling = SamplingParameters()
        sampling.temperature = 0
        sampling.maxTokens = 1
        sampling.ignoreEOS = true
        sampling.topLogprobs = 0
        sampling.logprobTokenIDs = body.labels
        return body.items.enumerated().map { index, item in
            TextRequest(id: "\(id)-\(index)", prompt: prompt(body, item, engine), sampling: sampling)
        }
    }

    /// Texts are joined before they are encoded: the border may lie inside a token.
    private static func prompt(_ body: ScoreRequest, _ item: WirePrompt, _ engine: TextEngine) -> TextRequest.Prompt {
        let pair = body.itemFirst ? (item, body.query) : (body.query, item)
        if case (.text(let first), .text(let second)) = pair { return .text(first + second) }
        func ids(_ part: WirePrompt, isFirst: Bool) -> [Int32] {
            switch part {
            case .tokens(let ids): ids
            case .text(let text): engine.assets.tokenizer.encode(text, addSpecialTokens: isFirst)
            }
        }
        return .tokens(ids(pair.0, isFirst: true) + ids(pair.1, isFirst: false))
    }

    private static func scores(_ token: GeneratedToken?, _ body: ScoreRequest) -> [Double] {
        let logprobs = (token?.asked ?? []).map { Double($0.logprob) }
        guard body.appliesSoftmax else { return logprobs.map { exp($0) } }
        let scaled = logprobs.map { $0 / body.temperature }
        let largest = scaled.max() ?? 0
        // No label is possible at all: none is likelier than another.
        guard largest.isFinite else { return scaled.map { _ in 1 / Double(scaled.count) } }
        let weights = scaled.map { exp($0 - largest) }
        let sum = weights.reduce(0, +)
        return weights.map { $0 / sum }
    }
}
