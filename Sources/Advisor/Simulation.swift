import EngineInterface
package import Scheduling
import Statistics

/// Plays traffic through the real scheduler and the real radix tree, with a cost model in place of the model.
package struct Simulation: Sendable {
    package struct Request: Sendable {
        package var prompt: [Int32]
        /// Tokens generated; ids of the logged answer, or made up.
        package var answer: [Int32]
        /// Seconds after the start.
        package var arrival: Double

        package init(prompt: [Int32], answer: [Int32], arrival: Double) {
            self.prompt = prompt
            self.answer = answer
            self.arrival = arrival
        }
    }

    package struct Result: Sendable, Equatable {
        package var seconds = 0.0
        package var promptTokens = 0
        package var cachedTokens = 0
        package var generatedTokens = 0
        package var retractions = 0
        /// Of the requests in the order of the traffic.
        package var timesToFirstToken: [Double] = []
        package var latencies: [Double] = []
        /// Could not run: longer than the context or the pool.
        package var refused = 0

        package init() {}

        package var hitRate: Double { promptTokens > 0 ? Double(cachedTokens) / Double(promptTokens) : 0 }
        package var outputThroughput: Double { seconds > 0 ? Double(generatedTokens) / seconds : 0 }
        package var medianTimeToFirstToken: Double { timesToFirstToken.median }
        package var medianLatency: Double { latencies.median }
    }

    package var configuration: SchedulerConfiguration
    package var costs: CostModel

    package init(configuration: SchedulerConfiguration, costs: CostModel) {
        self.configuration = configuration
        self.costs = costs
    }

    /// - Parameter requests: in order of arrival.
    /// - Parameter maxConcurrency: a client that keeps at most so many requests open, each waiting for one to end.
    /// - Complexity: that of the scheduler for each step; no arithmetic of a model.
    package func run(_ requests: [Request], maxConcurrency: Int = .max) -> Result {
        var play = Play(configuration, costs)
        play.run(requests, maxConcurrency: maxConcurrency)
        return play.result
    }

    /// Rounds one after the other: all requests of a round come at once, when the round before is over. Their `arrival`
    /// is not looked at.
    package func run(rounds: [[Request]]) -> Result {
        var play = Play(configuration, costs)
        for round in rounds {
            let now = play.now
            play.run(
                round.map { Request(prompt: $0.prompt, answer: $0.answer, arrival: now) }, maxConcurrency: .max)
        }
        return play.result
    }
}

/// One scheduler and one clock, for traffic that may come in portions.
private struct Play {
    private let scheduler: Scheduler
    private let costs: CostModel
    private(set) var now = 0.0
    private(set) var result = Simulation.Result()
    private var submitted = 0

    init(_ configuration: SchedulerConfiguration, _ costs: CostModel) {
        scheduler = Scheduler(configuration)
        self.costs = costs
    }

    mutating func run(_ requests: [Simulation.Request], maxConcurrency: Int) {
        var owners: [Int: Int] = [:]
        var starts: [Double] = Array(repeating: 0, count: requests.count)
        var generated: [Int] = Array(repeating: 0, count: requests.count)
        var first: [Double?] = Array(repeating: nil, count: requests.count)
        var last: [Double?] = Array(repeating: nil, count: requests.count)
        let begin = max(now, requests.first?.arrival ?? 0)
        var next = 0
        var open = 0
        while next < requests.count || open > 0 {
            while next < requests.count, open < maxConcurrency, requests[next].arrival <= now {
                let request = requests[next]
                var sampling = SamplingParameters()
                sampling.maxTokens = max(1, request.answer.count)
                sampling.ignoreEOS = true
                do {
                    submitted += 1
                    let number = try scheduler.submit(
                        GenerationRequest(id: "\(submitted)", prompt: request.prompt, sampling: sampling), now: now)
                    owners[number] = next
                    // Waiting at a client that holds back is not the server's.
                    starts[next] = maxConcurrency == .max ? request.arrival : now
                    open += 1
                } catch {
                    result.refused += 1
                }
                next += 1
            }
            guard let plan = scheduler.plan(now: now) else {
                guard next < requests.count else { break }
                now = max(now, requests[next].arrival)
                continue
            }
            let seconds = costs.seconds(plan)
            now += seconds
            scheduler.noteStep(rows: plan.rowCount, prefillRows: plan.prefillRowCount, seconds: seconds)
            var samples: [StepResult.Sample] = []
            for entry in plan.entries where entry.samples {
                guard let owner = owners[entry.sequence] else { continue }
                let answer = requests[owner].answer
                let index = generated[owner]
                samples.append(
                    StepResult.Sample(
                        sequence: entry.sequence, token: GeneratedToken(id: index < answer.count ? answer[index] : 0)))
            }
            for event in scheduler.commit(StepResult(samples: samples), now: now) {
                guard let owner = owners[event.sequence] else { continue }
                switch event.event {
                case .started(let report):
                    result.promptTokens += report.promptTokens
                    result.cachedTokens += report.cachedTokens
                case .token:
                    generated[owner] += 1
                    result.generatedTokens += 1
                    if first[owner] == nil { first[owner] = now }
                case .finished:
                    last[owner] = now
                    open -= 1
                    owners[event.sequence] = nil
                default: break
                }
            }
        }
        result.seconds += now - begin
        result.retractions = scheduler.statistics.retractions
        for index in requests.indices {
            if let time = first[index] { result.timesToFirstToken.append(time - starts[index]) }
            if let time = last[index] { result.latencies.append(time - starts[index]) }
        }
    }
}
