import EngineInterface
import Scheduling
import Testing

/// Who is admitted when.
struct OrderTests {
    private func engine(
        _ policy: SchedulePolicy, running: Int = 1, _ change: (inout SchedulerConfiguration) -> Void = { _ in }
    ) -> SimulatedEngine {
        var configuration = SchedulerConfiguration(totalPages: 400, contextLength: 2000, vocabularySize: 5000)
        configuration.pageSize = 4
        configuration.policy = policy
        configuration.maxRunningRequests = running
        configuration.chunkedPrefillSize = 100
        configuration.maxBatchTokens = 100 + running
        change(&configuration)
        return SimulatedEngine(configuration)
    }

    private func prompt(_ length: Int, _ first: Int32) -> [Int32] { (0..<Int32(length)).map { first + $0 } }

    /// Ids in the order of their first admission.
    private func order(_ engine: SimulatedEngine) -> [String] {
        engine.startOrder.compactMap { engine.requests[$0]?.id }
    }

    @Test func longestCachedPrefixComesFirst() throws {
        var engine = engine(.lpm)
        _ = try engine.submit(request("warm", prompt(40, 0), maxTokens: 1))
        engine.finish()
        _ = try engine.submit(request("none", prompt(40, 1000), maxTokens: 1))
        _ = try engine.submit(request("short", prompt(20, 0) + prompt(5, 500), maxTokens: 1))
        _ = try engine.submit(request("long", prompt(40, 0) + prompt(5, 600), maxTokens: 1))
        engine.finish()
        #expect(order(engine) == ["warm", "long", "short", "none"])
    }

    @Test func priorityComesBeforeThePrefix() throws {
        var engine = engine(.lpm)
        _ = try engine.submit(request("warm", prompt(40, 0), maxTokens: 1))
        engine.finish()
        _ = try engine.submit(request("cached", prompt(41, 0), maxTokens: 1))
        _ = try engine.submit(request("urgent", prompt(40, 1000), maxTokens: 1, priority: 1))
        engine.finish()
        #expect(order(engine) == ["warm", "urgent", "cached"])
    }

    @Test func otherPoliciesOrderByTheirNames() throws {
        for (policy, expected) in [
            (SchedulePolicy.fcfs, ["a", "b", "c", "d"]), (.priority, ["c", "a", "b", "d"]),
            (.lof, ["c", "b", "d", "a"]),
        ] {
            var engine = engine(policy)
            let limits: [(String, Int, Int)] = [("a", 1, 0), ("b", 5, 0), ("c", 3, 1), ("d", 5, 0)]
            for (id, limit, priority) in limits {
                _ = try engine.submit(request(id, prompt(9, 10), maxTokens: limit, priority: priority))
            }
            engine.finish()
            #expect(order(engine) == expected, "\(policy)")
        }
    }

    @Test func whatIsShortToComputeComesFirstWhereThatIsThePolicy() throws {
        for policy in [SchedulePolicy.shortestPrefillFirst, .hrrn] {
            var engine = engine(policy)
            _ = try engine.submit(request("warm", prompt(80, 0), maxTokens: 1))
            engine.finish()
            _ = try engine.submit(request("long", prompt(60, 1000), maxTokens: 1))
            _ = try engine.submit(request("cached", prompt(80, 0) + prompt(9, 500), maxTokens: 1))
            _ = try engine.submit(request("short", prompt(20, 2000), maxTokens: 1))
            engine.now += 0.5
            engine.finish()
            #expect(order(engine) == ["warm", "cached", "short", "long"], "\(policy)")
        }
    }

    /// Waiting raises the ratio: in the end the long one goes before a short one that has just come.
    @Test func aLongWaitRaisesTheResponseRatio() throws {
        var engine = engine(.hrrn) { $0.agingSeconds = 1000 }
        _ = try engine.submit(request("running", prompt(9, 3000), maxTokens: 30))
        engine.step()
        _ = try engine.submit(request("long", prompt(60, 1000), maxTokens: 1))
        engine.now += 10
        _ = try engine.submit(request("short", prompt(20, 2000), maxTokens: 1))
        engine.finish()
        #expect(order(engine) == ["running", "long", "short"])
    }

    /// Two documents fill the pool. A question about the one that would be evicted next comes before one about the
    /// other, although that one matches more; in the other order the first document would be lost.
    @Test func whatIsAboutToBeEvictedIsUsedFirst() throws {
        var engine = engine(.lpm) { $0.totalPages = 50 }
        _ = try engine.submit(request("old", prompt(60, 0), maxTokens: 1))
        engine.finish()
        _ = try engine.submit(request("new", prompt(100, 1000), maxTokens: 1))
        engine.finish()
        let before = engine.rows
        _ = try engine.submit(request("about new", prompt(100, 1000) + prompt(60, 2000), maxTokens: 1))
        _ = try engine.submit(request("about old", prompt(60, 0) + prompt(8, 3000), maxTokens: 1))
        engine.finish()
        #expect(order(engine) == ["old", "new", "about old", "about new"])
        #expect(engine.rows - before == 60 + 8, "nothing of the two documents is computed again")
        #expect(engine.breach == nil, "\(engine.breach ?? "")")
    }

    @Test func depthFirstKeepsTheHeavierSubtreeTogether() throws {
        var engine = engine(.depthFirstWeight, running: 8)
        _ = try engine.submit(request("x", prompt(40, 0), maxTokens: 1))
        _ = try engine.submit(request("y", prompt(40, 1000), maxTokens: 1))
        engine.finish()
        for (id, first) in [("x1", 0), ("y1", 1000), ("x2", 0), ("y2", 1000), ("y3", 1000)] as [(String, Int32)] {
            _ = try engine.submit(request(id, prompt(30, first) + [Int32(id.utf8.last ?? 0)], maxTokens: 1))
        }
        engine.finish()
        #expect(order(engine) == ["x", "y", "y1", "y2", "y3", "x1", "x2"])
    }

    /// An endless stream of requests with a cached prefix must not keep one without from running: it is overtaken
    /// only by those that arrived less than `agingSeconds` after it.
    @Test(arguments: [SchedulePolicy.lpm, .depthFirstWeight, .lof, .random, .hrrn, .shortestPrefillFirst])
    func nobodyStarves(policy: SchedulePolicy) throws {
        var engine = engine(policy) {
            $0.agingSeconds = 0.5
            $0.randomSeed = 3
        }
        _ = try engine.submit(request("warm", prompt(40, 0), maxTokens: 1))
        engine.finish()
        for number in 0..<10 {
            _ = try engine.submit(request("hot \(number)", prompt(40, 0) + [Int32(2000 + number)], maxTokens: 9))
        }
        engine.step()
        let arrival = engine.now
        let cold = try engine.submit(request("cold", prompt(40, 1000), maxTokens: 1))
        var arrivals: [Int: Double] = [:]
        // Twice as much work arrives as can be done.
        for number in 10..<400 where engine.endings[cold] == nil {
            let hot = try engine.submit(
                request("hot \(number)", prompt(40, 0) + [Int32(2000 + number)], maxTokens: 9))
            arrivals[hot] = engine.now
            for _ in 0..<4 { engine.step() }
        }
        #expect(engine.endings[cold] != nil, "\(policy)")
        #expect(engine.breach == nil, "\(engine.breach ?? "")")
        for (number, time) in arrivals where time >= arrival + 0.5 {
            #expect(engine.startSteps[number] == nil, "\(policy): overtaken by one that came much later")
        }
    }

    @Test func runningStreamsKeepTheirPaceWhileALongPromptIsPrefilled() throws {
        var engine = engine(.lpm, running: 4)
        let streams = try (0..<2).map {
            try engine.submit(request("\($0)", prompt(5, Int32($0) * 50), maxTokens: 50))
        }
        engine.step()
        let long = try engine.submit(request("long", prompt(1000, 500), maxTokens: 1))
        for step in 1...10 {
            engine.step()
            for stream in streams { #expect(engine.outputs[stream]?.count == 1 + step) }
        }
        #expect(engine.endings[long] == .length)
        #expect(engine.breach == nil, "\(engine.breach ?? "")")
    }

    /// Large requests are not passed by smaller ones for ever.
    @Test func whoFindsNoRoomIsNotOvertaken() throws {
        var engine = engine(.fcfs, running: 8) { $0.totalPages = 50 }
        _ = try engine.submit(request("first", prompt(40, 0), maxTokens: 30))
        engine.step()
        _ = try engine.submit(request("large", prompt(150, 1000), maxTokens: 1))
        _ = try engine.submit(request("small", prompt(4, 300), maxTokens: 1))
        engine.finish()
        #expect(order(engine) == ["first", "large", "small"])
        #expect(engine.breach == nil, "\(engine.breach ?? "")")
    }
}
