import WireTypes

/// One measurement from beginning to end: wait for the server, warm it up, empty its cache if asked to, run, sum up.
package struct ServingBenchmark: Sendable {
    package var client: LoadClient
    package var shape: RequestShape
    package var arrivals: Arrivals
    package var maxConcurrency: Int?
    package var warmupRequests = 1
    package var flushesCache = false
    /// How long a server may be too busy to empty its cache.
    package var flushSeconds = 60.0
    /// Whether the server writes a profile of the run.
    package var profiles = false
    package var seed: UInt64 = 42
    package var goodputLimits: [Goodput.Limit] = []

    package init(client: LoadClient, shape: RequestShape, arrivals: Arrivals) {
        self.client = client
        self.shape = shape
        self.arrivals = arrivals
    }

    /// Polls `/v1/models` until it answers.
    /// - Returns: the first model's id; nil if the list is empty.
    /// - Throws: `LoadBenchError.notReady`
    package static func waitForModel(_ client: LoadClient, seconds: Int) async throws -> String? {
        let path = "/v1/models"
        let deadline = ContinuousClock.now + .seconds(max(1, seconds))
        var reason = "no answer"
        while true {
            do {
                let answer = try await client.call("GET", path, timeout: 10)
                if answer.status == 200 {
                    let list = try? JSONFields(root: JSONParser.parse(answer.body)).array("data")
                    guard case .object(let model)?? = list?.first, case .string(let id)? = model["id"] else {
                        return nil
                    }
                    return id
                }
                reason = "status \(answer.status)"
            } catch {
                reason = "\(error)"
            }
            if ContinuousClock.now > deadline {
                throw LoadBenchError.notReady(url: client.baseURL + path, seconds: seconds, reason: reason)
            }
            try await Task.sleep(for: .milliseconds(250))
        }
    }

    /// - Parameters:
    ///   - retokenize: tokens of a text.
    ///   - started: called when the warm-up is over, with the state of the cache.
    package func run(
        _ items: [WorkItem], arguments: ServingRun.Arguments, retokenize: (String) -> Int,
        started: (CacheState.Before) -> Void = { _ in },
        finished: @escaping @Sendable (RequestOutcome) -> Void = { _ in }
    ) async throws -> ServingRun {
        try await warmUp(items)
        var flushed = false
        if flushesCache { flushed = try await flush() }
        let before = await reading()
        started(CacheState(start: before, end: before, flushed: flushed).before)
        if profiles { try await profile("/start_profile") }
        let times = arrivals.times(of: items, seed: seed)
        let result = await LoadRun(client: client, shape: shape, maxConcurrency: maxConcurrency)
            .run(items, times: times, finished: finished)
        if profiles { try await profile("/stop_profile") }
        let information = shape.backend.hasServerInfo ? await client.json("/server_info") ?? .null : .null
        var run = ServingRun(
            arguments: arguments, outcomes: result.outcomes,
            summary: ServingSummary(result.outcomes, seconds: result.seconds, retokenize: retokenize),
            overhead: result.overhead,
            cache: CacheState(start: before, end: await reading(), flushed: flushed),
            serverInformation: information)
        run.acceptLength = Self.acceptLength(information)
        if !goodputLimits.isEmpty {
            run.goodput = Goodput(result.outcomes, limits: goodputLimits, seconds: result.seconds)
        }
        return run
    }

    /// The first request, shortened, as often as asked: kernels, connections and caches of the allocator get warm. What
    /// it leaves in the prefix cache is there during the run unless the cache is flushed.
    private func warmUp(_ items: [WorkItem]) async throws {
        guard warmupRequests > 0, var first = items.first else { return }
        first.outputTokens = min(first.outputTokens, 32)
        if case .rounds(let rounds) = first.prompt { first.prompt = .rounds(Array(rounds.prefix(1))) }
        let run = LoadRun(client: client, shape: shape, maxConcurrency: maxConcurrency)
        let outcomes = await run.run(
            Array(repeating: first, count: warmupRequests), times: Array(repeating: 0, count: warmupRequests)
        ).outcomes
        guard outcomes.contains(where: \.isSuccess) else {
            throw LoadBenchError.warmupFailed(outcomes.first?.error ?? "no answer")
        }
    }

    /// - Throws: `LoadBenchError` if the backend has no way to do it, or the server refuses.
    package func flush() async throws -> Bool {
        guard let path = shape.backend.flushPath else {
            throw LoadBenchError.option(
                flag: "--flush-cache", reason: "a \(shape.backend.rawValue) server has no way to empty its cache")
        }
        // A server that is still busy with the end of the warm-up refuses at first.
        let deadline = ContinuousClock.now + .seconds(flushSeconds)
        while true {
            let answer = try await client.call("POST", path, body: [])
            if answer.status == 200 { break }
            guard ContinuousClock.now < deadline, answer.status == 400 || answer.status == 409 else {
                throw LoadBenchError.refused(
                    url: client.baseURL + path, status: answer.status,
                    body: String(decoding: answer.body, as: UTF8.self))
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        return true
    }

    /// - Throws: `LoadBenchError.refused`
    private func profile(_ path: String) async throws {
        let answer = try await client.call("POST", path, body: Array("{}".utf8))
        guard answer.status == 200 else {
            throw LoadBenchError.refused(
                url: client.baseURL + path, status: answer.status, body: String(decoding: answer.body, as: UTF8.self))
        }
    }

    private func reading() async -> CacheState.Reading {
        if shape.backend.hasServerInfo, let information = await client.json("/server_info") {
            let reading = CacheState.Reading(serverInformation: information)
            if reading.promptTokens != nil { return reading }
        }
        if shape.backend != .openai, let answer = try? await client.call("GET", "/metrics", timeout: 10),
            answer.status == 200
        {
            return CacheState.Reading(metrics: String(decoding: answer.body, as: UTF8.self))
        }
        return CacheState.Reading()
    }

    private static func acceptLength(_ information: JSONValue) -> Double? {
        guard case .object(let object) = information, case .array(let states)? = object["internal_states"],
            case .object(let state)? = states.first
        else { return nil }
        switch state["avg_spec_accept_length"] {
        case .number(let length): return length
        case .int(let length): return Double(length)
        default: return nil
        }
    }
}
