import EngineInterface
import Server
import TestSupport
import Testing
import WireTypes

/// What the log says of the load, and the metrics of constraints.
struct LoadLogTests {
    @Test func theLogTellsThroughputInSGLangsWords() async throws {
        var statistics = EngineStatistics()
        (statistics.totalPages, statistics.leasedPages) = (64, 16)
        (statistics.promptTokens, statistics.cachedPromptTokens, statistics.generatedTokens) = (30, 10, 8)
        try await TestServer.run(
            configure: { $0.loadLogInterval = .milliseconds(40) }, statistics: statistics
        ) { (server) async throws in
            try await Task.sleep(for: .milliseconds(100))
            let idle = Self.batches(server)
            #expect(idle.isEmpty, "an idle server says nothing")
            let answer = try await server.post("/v1/completions", #"{"prompt":"abc"}"#)
            #expect(answer.status == 200)
            var lines: [String] = []
            for _ in 0..<200 where lines.count < 2 {
                try await Task.sleep(for: .milliseconds(10))
                lines = Self.batches(server)
            }
            try #require(lines.count == 2)
            // The request may be counted as submitted before it is as begun.
            #expect(lines[0].hasPrefix("Prefill batch, #new-seq: "))
            #expect(
                lines[0].contains(
                    """
                    , #new-token: 20, #cached-token: 10, token usage: 0.25, #running-req: 0, #queue-req: 0, \
                    input throughput (token/s): 500.00
                    """))
            #expect(
                lines[1].hasPrefix(
                    """
                    Decode batch, #running-req: 0, #token: 256, token usage: 0.25, gen throughput (token/s): 200.00, \
                    #queue-req: 0, #retracted-req: 0
                    """))
            // Nothing new, so nothing more.
            try await Task.sleep(for: .milliseconds(100))
            let later = Self.batches(server)
            #expect(later.count == 2)
        }
    }

    private static func batches(_ server: TestServer) -> [String] {
        server.logs.lines.filter { $0.contains("batch") }
    }

    @Test func constraintsAreCountedAndTimed() async throws {
        var statistics = EngineStatistics()
        statistics.forcedTokens = 7
        try await TestServer.run(statistics: statistics) { (server) async throws in
            for pattern in ["a+", "a+", "b+"] {
                let answer = try await server.post(
                    "/generate", #"{"text":"x","sampling_params":{"regex":"\#(pattern)"}}"#)
                #expect(answer.status == 200)
            }
            let lines = try await server.get("/metrics").text.split(separator: "\n").map(String.init)
            for line in [
                #"sglang:num_grammar_total{model_name="tiny"} 3"#,
                #"sglang:num_grammar_cache_hit_total{model_name="tiny"} 1"#,
                #"sglang:num_grammar_queue_reqs{model_name="tiny"} 0"#,
                #"sglang:grammar_compilation_time_seconds_count{model_name="tiny"} 2"#,
                #"radish_forced_tokens_total{model_name="tiny"} 7"#,
            ] { #expect(lines.contains(line), "\(line)") }
        }
    }
}
