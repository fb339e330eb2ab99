import EngineInterface
import Hummingbird
import TextGeneration
import WireTypes

/// What SGLang's clients and benchmark ask about a server: `/model_info`, `/server_info`, `/version`.
struct InformationRoutes: Sendable {
    let parts: ServerParts

    func modelInfo(_ request: Request, _ context: ServerContext) async throws -> Response {
        if case .embedding(let service) = parts.model.phase { return modelInfo(service.engine.information) }
        let information = try parts.model.engine().engine.information
        return Response { writer in
            writer.field("model_path", information.modelPath)
            writer.field("tokenizer_path", information.modelPath)
            writer.field("is_generation", true)
            writer.nullField("preferred_sampling_params")
            writer.field("weight_version", "default")
            writer.field("has_image_understanding", false)
            writer.field("has_audio_understanding", false)
            writer.arrayField("architectures") { $0.string(information.architecture) }
            writer.field("context_length", information.contextLength)
            writer.field("vocab_size", information.vocabularySize)
        }
    }

    func serverInfo(_ request: Request, _ context: ServerContext) async throws -> Response {
        if case .embedding(let service) = parts.model.phase { return await serverInfo(service) }
        let engine = try parts.model.engine().engine
        let statistics = await engine.statistics()
        let information = engine.information
        let configuration = parts.configuration
        return Response { writer in
            writer.field("version", configuration.version)
            writer.field("model_path", information.modelPath)
            writer.field("tokenizer_path", information.modelPath)
            writer.field("served_model_name", configuration.servedModelNames[0])
            writer.field("host", configuration.host)
            writer.field("port", configuration.port)
            writer.field("architecture", information.architecture)
            writer.field("dtype", information.dtype)
            writer.field("device", information.backend)
            writer.field("context_length", information.contextLength)
            writer.field("page_size", information.pageSize)
            writer.field("max_total_num_tokens", information.poolTokens)
            writer.field("status", "ready")
            writer.objectField("launch_arguments") { writer in
                for (name, value) in configuration.launchArguments { writer.field(name, value) }
            }
            Self.write(statistics, open: parts.inFlight.count, to: &writer)
            // The benchmark client indexes the first element.
            writer.arrayField("internal_states") { writer in
                writer.object { writer in
                    writer.field("num_running_reqs", statistics.runningRequests)
                    writer.field("num_waiting_reqs", statistics.waitingRequests)
                    writer.field("max_total_num_tokens", information.poolTokens)
                }
            }
        }
    }

    // MARK: Embedding models

    private func modelInfo(_ information: EmbeddingInformation) -> Response {
        Response { writer in
            writer.field("model_path", information.modelPath)
            writer.field("tokenizer_path", information.modelPath)
            writer.field("is_generation", false)
            writer.field("is_reranker", information.isReranker)
            writer.arrayField("architectures") { $0.string(information.architecture) }
            writer.field("context_length", information.contextLength)
            writer.field("vocab_size", information.vocabularySize)
            writer.field("embedding_dimension", information.dimensions)
            writer.field("pooling", information.pooling)
            writer.field("is_normalized", information.isNormalized)
        }
    }

    private func serverInfo(_ service: EmbeddingService) async -> Response {
        let statistics = await service.engine.statistics()
        let information = service.engine.information
        let configuration = parts.configuration
        return Response { writer in
            writer.field("version", configuration.version)
            writer.field("model_path", information.modelPath)
            writer.field("served_model_name", configuration.servedModelNames[0])
            writer.field("host", configuration.host)
            writer.field("port", configuration.port)
            writer.field("architecture", information.architecture)
            writer.field("dtype", information.dtype)
            writer.field("device", information.backend)
            writer.field("is_embedding", true)
            writer.field("context_length", information.contextLength)
            writer.field("status", "ready")
            writer.arrayField("internal_states") { writer in
                writer.object { writer in
                    writer.field("num_running_reqs", statistics.runningTexts)
                    writer.field("num_waiting_reqs", statistics.waitingTexts)
                }
            }
        }
    }

    func version(_ request: Request, _ context: ServerContext) async throws -> Response {
        Response { $0.field("version", parts.configuration.version) }
    }

    private static func write(_ statistics: EngineStatistics, open: Int, to writer: inout JSONWriter) {
        statistics.writePages(to: &writer)
        writer.objectField("requests") { writer in
            writer.field("running", statistics.runningRequests)
            writer.field("waiting", statistics.waitingRequests)
            writer.field("open", open)
            writer.field("finished", statistics.finishedRequests)
            writer.field("aborted", statistics.abortedRequests)
            writer.field("retractions", statistics.retractions)
        }
        writer.objectField("tokens") { writer in
            writer.field("prompt", statistics.promptTokens)
            writer.field("cached_prompt", statistics.cachedPromptTokens)
            writer.field("generated", statistics.generatedTokens)
        }
        writer.field("tree_nodes", statistics.treeNodes)
        writer.field("steps", statistics.steps)
    }
}
