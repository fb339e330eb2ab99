import EngineInterface
import Glibc
import Hummingbird
import TextGeneration
import WireTypes

/// How busy the server is, for load balancers: SGLang's `/get_load` and `/v1/loads`, vLLM's `/load`.
struct LoadRoutes: Sendable {
    let parts: ServerParts

    func list(_ request: Request, _ context: ServerContext) async throws -> Response {
        let engine = try parts.model.engine().engine
        let statistics = await engine.statistics()
        var writer = JSONWriter()
        writer.array { $0.object { Self.write(statistics, engine.information, to: &$0) } }
        return Response(json: writer.bytes)
    }

    func loads(_ request: Request, _ context: ServerContext) async throws -> Response {
        let engine = try parts.model.engine().engine
        let statistics = await engine.statistics()
        let information = engine.information
        let version = parts.configuration.version
        return Response { writer in
            writer.field("timestamp", time(nil))
            writer.field("version", version)
            writer.field("dp_rank_count", 1)
            writer.arrayField("loads") { $0.object { Self.write(statistics, information, to: &$0) } }
            writer.objectField("aggregate") { writer in
                writer.field("total_running_reqs", statistics.runningRequests)
                writer.field("total_waiting_reqs", statistics.waitingRequests)
                writer.field("total_reqs", statistics.runningRequests + statistics.waitingRequests)
                writer.field("avg_token_usage", Self.usage(statistics))
            }
        }
    }

    /// vLLM's: requests that are open now.
    func serverLoad(_ request: Request, _ context: ServerContext) async throws -> Response {
        Response { $0.field("server_load", parts.inFlight.count) }
    }

    private static func usage(_ statistics: EngineStatistics) -> Double {
        statistics.totalPages == 0 ? 0 : Double(statistics.leasedPages) / Double(statistics.totalPages)
    }

    private static func write(
        _ statistics: EngineStatistics, _ information: EngineInformation, to writer: inout JSONWriter
    ) {
        let used = statistics.leasedPages * information.pageSize
        writer.field("dp_rank", 0)
        writer.field("num_reqs", statistics.runningRequests + statistics.waitingRequests)
        writer.field("num_running_reqs", statistics.runningRequests)
        writer.field("num_waiting_reqs", statistics.waitingRequests)
        writer.field("num_tokens", used)
        writer.field("num_used_tokens", used)
        writer.field("num_cached_tokens", statistics.cachedPages * information.pageSize)
        writer.field("max_total_num_tokens", information.poolTokens)
        writer.field("token_usage", usage(statistics))
        let prompt = statistics.promptTokens
        writer.field(
            "cache_hit_rate", prompt == 0 ? 0 : Double(statistics.cachedPromptTokens) / Double(prompt))
    }
}
