package import Engine
package import EngineInterface
import Statistics

/// All prompts given to an engine at once, without HTTP: how many tokens it computes in a given time at best.
package struct OfflineThroughput: Sendable {
    package struct Request: Sendable {
        package var prompt: [Int32]
        package var sampling: SamplingParameters

        package init(prompt: [Int32], sampling: SamplingParameters) {
            self.prompt = prompt
            self.sampling = sampling
        }
    }

    /// Seconds are from the first submission to the last token.
    package struct Result: Sendable, Equatable {
        package var seconds = 0.0
        package var succeeded = 0
        package var inputTokens = 0
        package var cachedTokens = 0
        package var outputTokens = 0
        /// Tokens per second in the last second of generation (all of it, if it was shorter).
        package var lastThroughput = 0.0

        package init() {}

        package var requestThroughput: Double { rate(succeeded) }
        package var inputThroughput: Double { rate(inputTokens) }
        package var outputThroughput: Double { rate(outputTokens) }
        package var totalThroughput: Double { rate(inputTokens + outputTokens) }
        package var hitRate: Double { inputTokens > 0 ? Double(cachedTokens) / Double(inputTokens) : 0 }

        private func rate(_ count: Int) -> Double { seconds > 0 ? Double(count) / seconds : 0 }

        /// SGLang's table of `bench_offline_throughput`, row for row, and one row about the cache.
        package var table: String {
            var lines = [Self.centred(" Offline Throughput Benchmark Result ", fill: "=")]
            func row(_ name: String, _ value: String) {
                lines.append(Self.padded(name, 40) + " " + Self.padded(value, 10))
            }
            row("Backend:", "engine")
            row("Successful requests:", "\(succeeded)")
            row("Benchmark duration (s):", seconds.fixed(2))
            row("Total input tokens:", "\(inputTokens)")
            row("Total generated tokens:", "\(outputTokens)")
            row("Last generation throughput (tok/s):", lastThroughput.fixed(2))
            row("Request throughput (req/s):", requestThroughput.fixed(2))
            row("Input token throughput (tok/s):", inputThroughput.fixed(2))
            row("Output token throughput (tok/s):", outputThroughput.fixed(2))
            row("Total token throughput (tok/s):", totalThroughput.fixed(2))
            row("Cached prompt tokens:", hitRate.percent)
            lines.append(String(repeating: "=", count: 50))
            return lines.joined(separator: "\n") + "\n"
        }

        private static func padded(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(0, width - text.count))
        }

        private static func centred(_ text: String, fill: Character) -> String {
            let missing = max(0, 50 - text.count)
            return String(repeating: fill, count: missing / 2) + text
                + String(repeating: fill, count: missing - missing / 2)
        }
    }

    package var requests: [Request]

    package init(_ requests: [Request]) { self.requests = requests }

    /// - Parameter finished: called after each request.
    /// - Throws: `RequestError` for a request that the engine cannot run.
    package func run(
        _ engine: EngineHandle, finished: @escaping @Sendable () -> Void = {}
    ) async throws -> Result {
        let clock = ContinuousClock()
        let start = clock.now
        var streams: [AsyncStream<GenerationEvent>] = []
        for (index, request) in requests.enumerated() {
            streams.append(
                try engine.submit(
                    GenerationRequest(id: "\(index)", prompt: request.prompt, sampling: request.sampling)))
        }
        return try await withThrowingTaskGroup(of: (GenerationUsage, [Double]).self) { group in
            for stream in streams {
                group.addTask {
                    var times: [Double] = []
                    var usage = GenerationUsage(promptTokens: 0, completionTokens: 0, cachedTokens: 0)
                    for await event in stream {
                        switch event {
                        case .token: times.append(start.duration(to: clock.now) / .seconds(1))
                        case .finished(.failed(let error), _): throw error
                        case .finished(_, let final): usage = final
                        case .started, .prompt: break
                        }
                    }
                    finished()
                    return (usage, times)
                }
            }
            var result = Result()
            var times: [Double] = []
            for try await (usage, tokens) in group {
                result.succeeded += 1
                result.inputTokens += usage.promptTokens
                result.cachedTokens += usage.cachedTokens
                result.outputTokens += usage.completionTokens
                times += tokens
            }
            result.seconds = start.duration(to: clock.now) / .seconds(1)
            if let first = times.min(), let last = times.max() {
                let span = min(1, last - first)
                if span > 0 { result.lastThroughput = Double(times.count { $0 > last - span }) / span }
            }
            return result
        }
    }
}
