import EngineInterface
import Hummingbird
import TextGeneration
import WireTypes

/// `POST /v1/rerank`, and `/v1/score` where the model reads two texts.
struct RerankRoutes: Sendable {
    let parts: ServerParts

    /// Best first. `relevance_score` is Jina's, Cohere's and vLLM's name, `score` SGLang's.
    func rerank(_ request: Request, _ context: ServerContext) async throws -> Response {
        let service = try parts.model.embeddings(wanting: .scores)
        let json = try await RequestBodyReading.json(request, context, parts.configuration)
        let body: RerankRequest
        do { body = try RerankRequest(json) } catch { throw ErrorMapping.failure(error) }
        let model = try parts.modelName(body.model)
        let pairs = body.documents.map { PairScoreRequest.Pair(first: body.query, second: $0) }
        let made = try await scores(pairs, body.truncation, service, context, FieldNames(prompt: "documents"))
        let usage = EmbeddingRoutes.note(made.tokens, context)
        // Of equal scores the earlier document comes first.
        let scores = made.scores
        let order = scores.indices.sorted { (a: Int, b: Int) -> Bool in
            scores[a] == scores[b] ? a < b : scores[a] > scores[b]
        }
        return Response { writer in
            writer.field("id", RequestIdentity.random("rerank-"))
            writer.field("model", model)
            EmbeddingRoutes.write(usage, to: &writer)
            writer.arrayField("results") { writer in
                for index in order.prefix(body.top ?? order.count) {
                    writer.object { writer in
                        writer.field("index", index)
                        if body.returnsDocuments {
                            writer.objectField("document") { $0.field("text", body.documents[index]) }
                        }
                        writer.name("relevance_score")
                        writer.float(made.scores[index], limit: .infinity)
                        writer.name("score")
                        writer.float(made.scores[index], limit: .infinity)
                    }
                }
            }
        }
    }

    /// vLLM's form. Models that generate have `ScoreRoute`.
    func score(_ request: Request, _ context: ServerContext) async throws -> Response {
        let service = try parts.model.embeddings(wanting: .scores)
        let json = try await RequestBodyReading.json(request, context, parts.configuration)
        let body: PairScoreRequest
        do { body = try PairScoreRequest(json) } catch { throw ErrorMapping.failure(error) }
        let model = try parts.modelName(body.model)
        let made = try await scores(body.pairs, body.truncation, service, context, FieldNames(prompt: "text_2"))
        let usage = EmbeddingRoutes.note(made.tokens, context)
        let created = parts.model.created
        return Response { writer in
            writer.field("id", RequestIdentity.random("score-"))
            writer.field("object", "list")
            writer.field("created", created)
            writer.field("model", model)
            writer.arrayField("data") { writer in
                for (index, score) in made.scores.enumerated() {
                    writer.object { writer in
                        writer.field("index", index)
                        writer.field("object", "score")
                        writer.name("score")
                        writer.float(score, limit: .infinity)
                    }
                }
            }
            EmbeddingRoutes.write(usage, to: &writer)
        }
    }

    private func scores(
        _ pairs: [PairScoreRequest.Pair], _ truncation: Int?, _ service: EmbeddingService, _ context: ServerContext,
        _ names: FieldNames
    ) async throws -> (scores: [Float], tokens: [Int]) {
        let limit = truncation.map { EmbeddingRoutes.limit($0, service) }
        return try await parts.embed(context, names) { () async throws(RequestError) in
            try await service.scores(pairs.map { ($0.first, $0.second) }, limit: limit)
        }
    }
}
