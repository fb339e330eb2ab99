import EngineInterface
import Logging
import TextGeneration

/// From time to time, while there is work, a line about prompts and one about answers, in the words of SGLang's log.
struct LoadLog: Sendable {
    let model: ServedModel
    let inFlight: InFlight
    let logger: Logger
    let interval: Duration

    /// Sums at some moment.
    struct Sums: Sendable {
        var submitted = 0
        var admitted = 0
        /// Requests that were open.
        var open = 0
        var engine = EngineStatistics()
    }

    /// Returns when its task is cancelled.
    func run() async {
        var last = Sums()
        while (try? await Task.sleep(for: interval)) != nil {
            guard case .ready(let engine) = model.phase else { continue }
            let requests = model.metrics.snapshot
            // An idle engine is not woken.
            let open = inFlight.count
            guard open + last.open > 0 || requests.submitted > last.submitted else { continue }
            let now = Sums(
                submitted: requests.submitted, admitted: requests.queue.total, open: open,
                engine: await engine.engine.statistics())
            for line in Self.lines(from: last, to: now, interval, page: engine.engine.information.pageSize) {
                logger.info("\(line)")
            }
            last = now
        }
    }

    /// What happened between two moments.
    static func lines(from last: Sums, to now: Sums, _ interval: Duration, page: Int) -> [String] {
        func rate(_ count: Int) -> String { hundredths(Double(count) / interval.seconds) }
        let engine = now.engine
        let usage = hundredths(engine.totalPages == 0 ? 0 : Double(engine.leasedPages) / Double(engine.totalPages))
        var lines: [String] = []
        let prompt = engine.promptTokens - last.engine.promptTokens
        let cached = engine.cachedPromptTokens - last.engine.cachedPromptTokens
        if prompt > 0 {
            lines.append(
                """
                Prefill batch, #new-seq: \(now.admitted - last.admitted), #new-token: \(prompt - cached), \
                #cached-token: \(cached), token usage: \(usage), #running-req: \(engine.runningRequests), \
                #queue-req: \(engine.waitingRequests), input throughput (token/s): \(rate(prompt - cached))
                """)
        }
        let generated = engine.generatedTokens - last.engine.generatedTokens
        if generated > 0 {
            lines.append(
                """
                Decode batch, #running-req: \(engine.runningRequests), #token: \(engine.leasedPages * page), \
                token usage: \(usage), gen throughput (token/s): \(rate(generated)), \
                #queue-req: \(engine.waitingRequests), #retracted-req: \(engine.retractions - last.engine.retractions)
                """)
        }
        return lines
    }

    private static func hundredths(_ value: Double) -> String {
        let number = Int((value * 100).rounded())
        let rest = number % 100
        return "\(number / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}
