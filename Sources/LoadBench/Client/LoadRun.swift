import Glibc
import WireTypes

/// Sends all items of a dataset at their times and gathers what came back.
package struct LoadRun: Sendable {
    package var client: LoadClient
    package var shape: RequestShape
    /// At most so many items at once; the rest waits at the client. Waiting there is not part of any latency, as in
    /// SGLang's client, and the delay is reported as the client's.
    package var maxConcurrency: Int?

    package init(client: LoadClient, shape: RequestShape, maxConcurrency: Int? = nil) {
        self.client = client
        self.shape = shape
        self.maxConcurrency = maxConcurrency
    }

    package struct Result: Sendable {
        /// In the order of the dataset, rounds of a conversation one after the other.
        package var outcomes: [RequestOutcome]
        /// From the first sending to the last answer.
        package var seconds: Double
        package var overhead: ClientOverhead
    }

    /// - Parameters:
    ///   - times: as made by `Arrivals`.
    ///   - finished: called after each request, on any thread.
    package func run(
        _ items: [WorkItem], times: [Double], finished: @escaping @Sendable (RequestOutcome) -> Void = { _ in }
    ) async -> Result {
        // Made before the clock starts, so that sending costs no JSON.
        let bodies = items.map(firstBody)
        let gate = ConcurrencyGate(limit: maxConcurrency)
        let delays = Task.detached { [client] in await client.timerDelays() }
        let readingBefore = client.readingSeconds
        let processorBefore = Self.processorSeconds()
        let epoch = LoadClient.now
        let clock = ContinuousClock()
        let start = clock.now
        let order = items.indices.sorted { times[$0] < times[$1] }
        let outcomes = await withTaskGroup(of: (Int, [RequestOutcome]).self) { group in
            for index in order {
                let due = start + .seconds(times[index])
                if due > clock.now { try? await clock.sleep(until: due, tolerance: .zero) }
                group.addTask {
                    await gate.enter()
                    let outcomes = await converse(
                        items[index], index: index, body: bodies[index], planned: times[index], epoch: epoch,
                        finished: finished)
                    gate.leave()
                    return (index, outcomes)
                }
            }
            var all = [[RequestOutcome]](repeating: [], count: items.count)
            for await (index, outcomes) in group { all[index] = outcomes }
            return all.flatMap(\.self)
        }
        let seconds = LoadClient.now - epoch
        let processor = Self.processorSeconds() - processorBefore
        delays.cancel()
        return Result(
            outcomes: outcomes, seconds: seconds,
            overhead: ClientOverhead(
                sendDelays: maxConcurrency == nil
                    ? outcomes.filter { $0.round == 0 }.map { $0.start - $0.planned } : [],
                timerDelays: await delays.value, processorSeconds: processor,
                readingSeconds: client.readingSeconds - readingBefore, seconds: seconds,
                chunks: outcomes.reduce(0) { $0 + $1.chunks }))
    }

    private func firstBody(_ item: WorkItem) -> [UInt8] {
        let prompt: WorkItem.Prompt =
            if case .rounds(let rounds) = item.prompt { rounds.first.map { .text($0) } ?? .text("") } else {
                item.prompt
            }
        return shape.body(prompt: prompt, outputTokens: item.outputTokens, extraBody: item.extraBody)
    }

    /// One request, or the rounds of a conversation: each asks with everything that was said before.
    private func converse(
        _ item: WorkItem, index: Int, body: [UInt8], planned: Double, epoch: Double,
        finished: @Sendable (RequestOutcome) -> Void
    ) async -> [RequestOutcome] {
        var history = Conversation(dialect: shape.backend.dialect)
        var outcomes: [RequestOutcome] = []
        let rounds: [String] = if case .rounds(let rounds) = item.prompt { rounds } else { [] }
        for round in 0..<max(1, rounds.count) {
            var body = body
            if !rounds.isEmpty {
                history.say(rounds[round])
                if round > 0 {
                    body = shape.body(
                        prompt: history.prompt, outputTokens: item.outputTokens, extraBody: item.extraBody)
                }
            }
            var blank = RequestOutcome(
                item: index, planned: planned, start: planned, promptTokens: item.promptTokens,
                outputTokens: item.outputTokens)
            blank.round = round
            let outcome = await client.send(
                path: shape.backend.path, body: body, dialect: shape.backend.dialect, streams: shape.stream,
                epoch: epoch, blank: blank)
            finished(outcome)
            outcomes.append(outcome)
            if outcome.error != nil { break }
            history.hear(outcome.text)
        }
        return outcomes
    }

    private static func processorSeconds() -> Double {
        var time = timespec()
        guard clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 else { return 0 }
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}

/// What was said so far, as the next request's prompt.
private struct Conversation {
    let dialect: ServingBackend.Dialect
    private var messages: [JSONValue] = []
    private var text = ""

    init(dialect: ServingBackend.Dialect) { self.dialect = dialect }

    var prompt: WorkItem.Prompt { dialect == .chat ? .messages(messages) : .text(text) }

    mutating func say(_ words: String) {
        add(role: "user", words)
        text += text.isEmpty ? words : "\n\n" + words
    }

    mutating func hear(_ words: String) {
        add(role: "assistant", words)
        text += words
    }

    private mutating func add(role: String, _ words: String) {
        messages.append(.object(JSONObject([("role", .string(role)), ("content", .string(words))])))
    }
}

/// What the client itself cost, so that nobody takes its limits for the server's.
package struct ClientOverhead: Sendable, Equatable {
    /// Seconds between the planned and the real sending; empty where `--max-concurrency` holds requests back.
    package var sendDelays: [Double]
    /// How late timers fired: what any time stamp may be wrong by.
    package var timerDelays: [Double]
    /// Processor time of the whole client process.
    package var processorSeconds: Double
    /// Part of it that reading events took.
    package var readingSeconds: Double
    /// Length of the run.
    package var seconds: Double
    package var chunks: Int

    package init(
        sendDelays: [Double], timerDelays: [Double], processorSeconds: Double, readingSeconds: Double, seconds: Double,
        chunks: Int
    ) {
        self.sendDelays = sendDelays
        self.timerDelays = timerDelays
        self.processorSeconds = processorSeconds
        self.readingSeconds = readingSeconds
        self.seconds = seconds
        self.chunks = chunks
    }
}
