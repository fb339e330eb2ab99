import EngineInterface
import PrefixCache
import Scheduling

/// Carries plans out on a memory that remembers in every slot which prefix the slot belongs to, and samples with a
/// "model" whose next token is a function of the whole prefix. Checks every plan; the first breach is kept.
struct SimulatedEngine {
    let scheduler: Scheduler
    let configuration: SchedulerConfiguration
    /// Digest of namespace and all tokens up to the slot's; 0: never written.
    private var memory: [UInt64]
    /// Used if the configuration has tiers.
    var tiers: SimulatedTiers?
    var now = 0.0
    /// Rows fed so far, over all sequences.
    private(set) var rows = 0
    private(set) var steps = 0
    private(set) var copies = 0
    private(set) var breach: String?
    private(set) var requests: [Int: GenerationRequest] = [:]
    private(set) var outputs: [Int: [Int32]] = [:]
    private(set) var reports: [Int: CacheReport] = [:]
    private(set) var endings: [Int: FinishReason] = [:]
    private(set) var usages: [Int: GenerationUsage] = [:]
    /// Requests whose prompt's scores were delivered.
    private(set) var scored: Set<Int> = []
    /// Step in which a request was admitted first.
    private(set) var startSteps: [Int: Int] = [:]
    /// Sequences in the order of their first admission.
    private(set) var startOrder: [Int] = []

    init(_ configuration: SchedulerConfiguration, tiers: SimulatedTiers? = nil) {
        self.tiers = tiers
        self.configuration = configuration
        scheduler = Scheduler(configuration)
        memory = Array(repeating: 0, count: configuration.totalPages * configuration.pageSize)
    }

    mutating func fail(_ text: String) { if breach == nil { breach = text } }

    mutating func submit(_ request: GenerationRequest) throws(RequestError) -> Int {
        let number = try scheduler.submit(request, now: now)
        requests[number] = request
        outputs[number] = []
        obeyTierOrders()
        return number
    }

    mutating func abort(_ id: String) {
        deliver(scheduler.abort(requestID: id, now: now))
        obeyTierOrders()
    }

    private mutating func obeyTierOrders() {
        let orders = scheduler.takeTierOrders()
        if orders.isEmpty { return }
        guard tiers != nil else { return fail("orders for tiers that are not there") }
        if let wrong = tiers?.take(orders, memory: &memory, size: configuration.pageSize, from: scheduler) {
            fail(wrong)
        }
    }

    private mutating func answerTier() {
        tiers?.answer(scheduler, memory: &memory, size: configuration.pageSize, now: now)
        obeyTierOrders()
    }

    /// Waits for every outstanding answer.
    mutating func settleTiers() { while tiers?.isBusy == true { answerTier() } }

    /// Plans, carries out and commits one step.
    /// - Returns: false if there was nothing to do.
    @discardableResult
    mutating func step() -> Bool {
        while tiers?.isBusy == true, tiers?.dice(3) == 0 { answerTier() }
        guard let plan = scheduler.plan(now: now) else {
            obeyTierOrders()
            for text in scheduler.checkInvariants() { fail(text) }
            if tiers?.isBusy == true {
                // Sometimes the answer comes later than anybody's patience.
                if tiers?.dice(4) == 0, let deadline = scheduler.nextDeadline {
                    now = max(now, deadline)
                } else {
                    answerTier()
                }
                return breach == nil
            }
            if scheduler.hasWork { fail("idle with work to do") }
            return false
        }
        obeyTierOrders()
        checkOrder(plan)
        carryOut(plan)
        var samples: [StepResult.Sample] = []
        var scores: [GeneratedToken] = []
        for entry in plan.entries {
            let state = scheduler.samplingState(of: entry.sequence)
            for offset in entry.scored {
                scores.append(GeneratedToken(id: state.prompt[entry.startPosition + offset + 1], logprob: -1))
            }
            guard entry.samples else { continue }
            let token = next(after: state.prompt + state.generated, entry.sequence, state.forbiddenTokenIDs)
            samples.append(.init(sequence: entry.sequence, token: GeneratedToken(id: token)))
        }
        now += 0.01
        steps += 1
        deliver(scheduler.commit(StepResult(samples: samples, scores: scores), now: now))
        if scores.count > configuration.scoredRows { fail("\(scores.count) rows of logits for prompts") }
        obeyTierOrders()
        for text in scheduler.checkInvariants() { fail(text) }
        let counts = scheduler.statistics
        if counts.freePages + counts.cachedPages + counts.leasedPages != counts.totalPages { fail("accounting") }
        if counts.runningRequests > configuration.maxRunningRequests { fail("too many run") }
        return breach == nil
    }

    /// Steps until nothing is left to do.
    mutating func finish(limit: Int = 100_000) {
        var left = limit
        while step(), left > 0 { left -= 1 }
        if left == 0 { fail("not finished after \(limit) steps") }
    }

    /// What the request has to generate, computed alone and from scratch.
    func expected(_ number: Int) -> (tokens: [Int32], reason: FinishReason) {
        guard let request = requests[number] else { return ([], .aborted) }
        let sampling = request.sampling
        let ends =
            sampling.ignoreEOS ? sampling.stopTokenIDs : sampling.stopTokenIDs.union(configuration.endOfSequenceIDs)
        let poolTokens = configuration.totalPages * configuration.pageSize
        let room = min(configuration.contextLength - request.prompt.count, poolTokens + 1 - request.prompt.count)
        let limit = min(sampling.maxTokens ?? room, room)
        var tokens: [Int32] = []
        while tokens.count < limit {
            let token = next(
                after: request.prompt + tokens, number, tokens.count < sampling.minTokens ? ends : [])
            tokens.append(token)
            if ends.contains(token), tokens.count > sampling.minTokens { return (tokens, .stopToken(token)) }
        }
        return (tokens, .length)
    }

    /// Every request that was not aborted got exactly what it would have got alone.
    mutating func checkOutputs() {
        for number in requests.keys.sorted() {
            guard let ending = endings[number] else {
                fail("sequence \(number) never ended")
                continue
            }
            let expected = expected(number)
            let output = outputs[number] ?? []
            if ending == .aborted {
                if !expected.tokens.starts(with: output) { fail("sequence \(number) aborted with \(output)") }
            } else if output != expected.tokens || ending != expected.reason {
                fail("sequence \(number): \(output) \(ending), expected \(expected)")
            }
        }
    }

    // MARK: Private

    private mutating func carryOut(_ plan: StepPlan) {
        let size = configuration.pageSize
        if plan.rowCount > configuration.maxBatchTokens { fail("\(plan.rowCount) rows in a step") }
        let published = scheduler.publishedSlots()
        for copy in plan.copies {
            copies += 1
            for slot in 0..<copy.tokens {
                if slot < published[copy.destination, default: 0] { fail("a copy overwrites page \(copy.destination)") }
                memory[Int(copy.destination) * size + slot] = memory[Int(copy.source) * size + slot]
            }
        }
        var written: Set<Int> = []
        for entry in plan.entries {
            rows += entry.tokens.count
            if entry.tokens.isEmpty { fail("an entry without tokens") }
            let whole = history(entry.sequence)
            for (offset, token) in entry.tokens.enumerated() {
                let position = entry.startPosition + offset
                if whole[position] != token { fail("sequence \(entry.sequence) feeds a token that is not its own") }
                let page = entry.pages[position / size]
                if position % size < published[page, default: 0] { fail("a published slot of page \(page) is written") }
                let slot = Int(page) * size + position % size
                if !written.insert(slot).inserted { fail("slot \(slot) is written twice in a step") }
            }
            let digests = digests(whole, entry.sequence, upTo: entry.startPosition + entry.tokens.count)
            for position in entry.startPosition..<(entry.startPosition + entry.tokens.count) {
                memory[Int(entry.pages[position / size]) * size + position % size] = digests[position]
            }
            if entry.samples != (entry.startPosition + entry.tokens.count == whole.count) {
                fail("wrong row is sampled")
            }
        }
        // Attention reads after all rows were written, so the check comes last.
        for entry in plan.entries {
            let end = entry.startPosition + entry.tokens.count
            if entry.pages.count * size < end { fail("page table of sequence \(entry.sequence) is too short") }
            let digests = digests(history(entry.sequence), entry.sequence, upTo: end)
            for position in 0..<end
            where memory[Int(entry.pages[position / size]) * size + position % size] != digests[position] {
                fail("sequence \(entry.sequence) reads a wrong prefix at position \(position)")
                break
            }
        }
    }

    /// What two entries have in common, all between them have: sharers are next to each other.
    private mutating func checkOrder(_ plan: StepPlan) {
        func common(_ a: StepEntry, _ b: StepEntry) -> Int { zip(a.pages, b.pages).prefix { $0 == $1 }.count }
        for (place, entry) in plan.entries.enumerated() {
            if place == 0, entry.sharedPages != 0 { fail("the first entry shares pages with nobody before it") }
            var least = Int.max
            for next in plan.entries.dropFirst(place + 1) {
                least = min(least, next.sharedPages)
                if common(entry, next) != least {
                    fail("sequence \(next.sequence) is apart from those it shares pages with")
                }
            }
        }
    }

    private func history(_ number: Int) -> [Int32] { (requests[number]?.prompt ?? []) + (outputs[number] ?? []) }

    private func digests(_ tokens: [Int32], _ number: Int, upTo count: Int) -> [UInt64] {
        var value: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in (requests[number]?.cacheNamespace ?? "").utf8 { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
        var result: [UInt64] = []
        result.reserveCapacity(count)
        for token in tokens.prefix(count) {
            value = (value ^ UInt64(UInt32(bitPattern: token))) &* 0x100_0000_01B3
            value ^= value >> 29
            result.append(value)
        }
        return result
    }

    /// Greedy decoding of a fixed random model.
    private func next(after tokens: [Int32], _ number: Int, _ forbidden: Set<Int32>) -> Int32 {
        guard let digest = digests(tokens, number, upTo: tokens.count).last else { return 0 }
        var token = Int32((digest >> 8) % UInt64(configuration.vocabularySize))
        while forbidden.contains(token) { token = (token + 1) % Int32(configuration.vocabularySize) }
        return token
    }

    private mutating func deliver(_ events: [SchedulerEvent]) {
        for event in events {
            let number = event.sequence
            if endings[number] != nil { fail("an event after the end of sequence \(number)") }
            if requests[number]?.id != event.requestID { fail("sequence \(number) is not \(event.requestID)") }
            switch event.event {
            case .started(let report):
                if reports.updateValue(report, forKey: number) != nil { fail("sequence \(number) started twice") }
                startSteps[number] = steps
                startOrder.append(number)
            case .prompt(let tokens):
                guard let request = requests[number], let scoring = request.promptLogprobs else {
                    fail("sequence \(number) never asked for scores")
                    continue
                }
                if outputs[number] != [] { fail("the scores of sequence \(number) come late") }
                if tokens.map(\.id) != Array(request.prompt.dropFirst(scoring.start)) {
                    fail("sequence \(number) got the scores of other tokens")
                }
                if tokens.contains(where: { $0.logprob == nil }) != (scoring.start == 0) {
                    fail("only the first token of all has no score")
                }
                scored.insert(number)
            case .token(let token):
                if requests[number]?.promptLogprobs != nil, !scored.contains(number) {
                    fail("sequence \(number) has tokens before its scores")
                }
                if reports[number] == nil { fail("sequence \(number) has tokens before it started") }
                outputs[number]?.append(token.id)
            case .finished(let reason, let usage):
                endings[number] = reason
                usages[number] = usage
                if usage.completionTokens != outputs[number]?.count { fail("usage of sequence \(number): \(usage)") }
                if usage.promptTokens != requests[number]?.prompt.count { fail("usage: \(usage)") }
                if usage.cachedTokens != reports[number]?.cachedTokens ?? 0 { fail("usage: \(usage)") }
            }
        }
    }
}

func request(
    _ id: String, _ prompt: [Int32], maxTokens: Int? = nil, namespace: String = "", priority: Int = 0
) -> GenerationRequest {
    var sampling = SamplingParameters()
    sampling.maxTokens = maxTokens
    return GenerationRequest(
        id: id, prompt: prompt, sampling: sampling, cacheNamespace: namespace, priority: priority)
}
