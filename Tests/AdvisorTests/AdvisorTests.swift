import Advisor
import Scheduling
import Statistics
import TestSupport
import Testing

struct LogReaderTests {
    @Test func allFormatsAreRead() {
        let lines = [
            #"{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"Hi"}]}],"max_tokens":5,"timestamp":12}"#,
            #"{"custom_id":"a","body":{"messages":[{"role":"user","content":"Hi"}]},"response":{"body":{"usage":{"completion_tokens":7},"choices":[{"message":{"content":"Yes"}}]}}}"#,
            #"{"input_ids":[1,2,3],"sampling_params":{"max_new_tokens":9}}"#,
            #"{"timestamp":1000,"input_length":1024,"output_length":4,"hash_ids":[0,1]}"#,
            "INFO Received request cmpl-1: prompt: 'a', params: SamplingParams(n=1, max_tokens=16), prompt_token_ids: [5, 6], lora_request: None.",
            "not a request",
        ]
        let requests = lines.map { LogReader.read([Array($0.utf8)]).requests.first }
        #expect(
            requests[0]?.prompt
                == .text([
                    .init(name: "system message", text: "<system>\nBe brief.\n"),
                    .init(name: "user message", text: "<user>\nHi\n"),
                ]))
        #expect(requests[0]?.outputTokens == 5 && requests[0]?.time == 12)
        #expect(requests[1]?.outputTokens == 7 && requests[1]?.answer == "Yes")
        #expect(requests[2] == LoggedRequest(prompt: .tokens([1, 2, 3]), outputTokens: 9))
        #expect(requests[3]?.prompt == .blocks([0, 1], tokensPerBlock: 512) && requests[3]?.time == 1)
        #expect(requests[4] == LoggedRequest(prompt: .tokens([5, 6]), outputTokens: 16))
        #expect(requests[5] == nil)
        #expect(LogReader.read(lines.map { Array($0.utf8) }).skipped == 1)
    }

    private func read(_ log: String) -> LogReader.Traffic {
        LogReader.read(log.split(separator: "\n").map { Array($0.utf8) })
    }

    /// Older versions write one line, newer ones two; text is as Python prints it.
    @Test func logsOfVLLM() {
        let traffic = read(
            #"""
            (APIServer pid=7) INFO 11-28 19:44:48 [logger.py:39] Received request chatcmpl-a: prompt: 'It\'s "params": SamplingParams(max_tokens=1), \u00fcber\nall', params: SamplingParams(n=1, stop=[], max_tokens=16, seed=None), prompt_token_ids: None, prompt_embeds shape: None, lora_request: None.
            INFO 11-28 19:44:50 [logger.py:61] Received request cmpl-b: params: SamplingParams(n=1, stop=['x, y'], max_tokens=8), lora_request: None.
            DEBUG 11-28 19:44:50 [logger.py:53] Request cmpl-b details: prompt: "don't", prompt_token_ids: [5, 6], prompt_embeds shape: None.
            INFO 11-28 19:44:51 [async_llm.py:261] Added request cmpl-b.
            """#)
        #expect(
            traffic.requests.map(\.prompt) == [
                .text([.init(name: "prompt", text: "It's \"params\": SamplingParams(max_tokens=1), über\nall")]),
                .tokens([5, 6]),
            ])
        #expect(traffic.requests.map(\.outputTokens) == [16, 8])
        #expect((traffic.requests[1].time ?? 0) - (traffic.requests[0].time ?? 0) == 2)
        #expect(traffic.skipped == 1 && traffic.partial == 0)
    }

    /// A request is logged when it comes and when it is done; what the log cut is told apart.
    @Test func logsOfSGLang() {
        let texts = read(
            #"""
            [2026-11-28 19:44:48] Receive: obj=GenerateReqInput(rid='a', http_worker_ipc=None, text='He said "rid=\'b\', input_ids=[1]"', input_ids=None, sampling_params={'temperature': 0.0, 'max_new_tokens': 16, 'stop': [']', ')']}, stream=False)
            [2026-11-28 19:44:49] Receive: obj=GenerateReqInput(rid='b', text=None, input_ids=[1, 2, 3], sampling_params={'max_new_tokens': 9})
            [2026-11-28 19:44:50] Finish: obj=GenerateReqInput(rid='a', text='…', sampling_params={'max_new_tokens': 16}), out={'text': ' Yes.', 'meta_info': {'id': 'a', 'finish_reason': {'type': 'stop'}, 'prompt_tokens': 4, 'completion_tokens': 3}}
            [2026-11-28 19:44:51] Receive: obj=GenerateReqInput(rid='c', text='abc' ... 'xyz', sampling_params={'max_new_tokens': 9})
            """#)
        #expect(
            texts.requests.map(\.prompt) == [
                .text([.init(name: "prompt", text: #"He said "rid='b', input_ids=[1]""#)]), .tokens([1, 2, 3]),
            ])
        #expect(texts.requests.map(\.outputTokens) == [3, 9])
        #expect(texts.requests[0].answer == " Yes." && texts.partial == 1)
        let objects = read(
            #"""
            {"timestamp": "2026-11-28T19:44:48.250000", "event": "request.received", "rid": "a", "obj": {"rid": "a", "text": "Hi", "input_ids": null, "sampling_params": {"max_new_tokens": 16}}}
            {"timestamp": "2026-11-28T19:44:49.250000", "event": "request.finished", "rid": "a", "obj": {"rid": "a", "text": "Hi", "sampling_params": {"max_new_tokens": 16}}, "out": {"text": "Yes", "meta_info": {"completion_tokens": 2}}}
            {"timestamp": "2026-11-28T19:44:50.250000", "event": "request.received", "rid": "b", "obj": {"rid": "b", "text": null, "input_ids": [1, 2, "...", 3, 4], "sampling_params": {}}}
            """#)
        #expect(objects.requests.map(\.prompt) == [.text([.init(name: "prompt", text: "Hi")])])
        #expect(objects.requests[0].outputTokens == 2 && objects.requests[0].answer == "Yes" && objects.partial == 1)
    }
}

struct ReuseDistanceTests {
    @Test func knownDistances() {
        var reuse = ReuseDistance(blockTokens: 4)
        let a: [Int32] = [1, 2, 3, 4, 5, 6, 7, 8, 9]
        let b: [Int32] = [11, 12, 13, 14, 15, 16, 17, 18]
        reuse.add(a)
        reuse.add(b)
        reuse.add(a)
        // Two blocks of a come back after two blocks of b: four are held at once.
        #expect(reuse.ceiling == 8.0 / 26)
        #expect(reuse.hitRate(cacheTokens: 16) == 8.0 / 26)
        #expect(reuse.hitRate(cacheTokens: 8) == 0)
        // The first block stays longer than the second.
        #expect(reuse.hitRate(cacheTokens: 12) == 4.0 / 26)
    }

    /// Against a cache that is played out, block by block.
    @Test func curveAgreesWithASimulatedCache() {
        var random = SeededGenerator(seed: 3)
        var prompts: [[Int32]] = []
        for _ in 0..<120 {
            let group = Int32(Int.random(in: 0..<6, using: &random))
            let shared = (0..<Int.random(in: 1...6, using: &random)).flatMap { block in
                (0..<4).map { group * 1000 + Int32(block * 4 + $0) }
            }
            let own = (0..<Int.random(in: 1...12, using: &random)).map { _ in
                Int32.random(in: 10_000...99_999, using: &random)
            }
            prompts.append(shared + own)
        }
        var reuse = ReuseDistance(blockTokens: 4)
        for prompt in prompts { reuse.add(prompt) }
        for blocks in [2, 5, 10, 20, 40, 200] {
            var cached: [[Int32]] = []
            var hits = 0
            var total = 0
            for prompt in prompts {
                total += prompt.count
                let keys = stride(from: 4, through: prompt.count, by: 4).map { Array(prompt[..<$0]) }
                for key in keys { if cached.contains(key) { hits += 4 } else { break } }
                if keys.last?.count == prompt.count, cached.contains(prompt) { hits -= 1 }
                for key in keys.reversed() {
                    cached.removeAll { $0 == key }
                    cached.append(key)
                }
                if cached.count > blocks { cached.removeFirst(cached.count - blocks) }
            }
            // A request whose own blocks push each other out is where the two may differ by a block.
            #expect(abs(reuse.hitRate(cacheTokens: blocks * 4) - Double(hits) / Double(total)) < 0.02)
        }
    }
}

struct SimulationTests {
    private let costs = CostModel(
        rows: [.init(rows: 1, seconds: 0.011), .init(rows: 512, seconds: 0.501)],
        sampled: [.init(rows: 0, seconds: -0.001), .init(rows: 1, seconds: 0)], context: [.init(rows: 1, seconds: 0)])

    private func configuration(pages: Int = 4096) -> SchedulerConfiguration {
        SchedulerConfiguration(totalPages: pages, contextLength: 8192, vocabularySize: 1 << 20)
    }

    @Test func oneRequestTakesWhatItsStepsTake() {
        let request = Simulation.Request(prompt: Array(0..<512), answer: [1, 2, 3], arrival: 1)
        let result = Simulation(configuration: configuration(), costs: costs).run([request])
        #expect(abs(result.timesToFirstToken[0] - 0.501) < 1e-9)
        #expect(abs(result.latencies[0] - (0.501 + 2 * 0.011)) < 1e-9)
        #expect(result.generatedTokens == 3 && result.hitRate == 0)
    }

    @Test func sharedPrefixesAreReusedUnlessTurnedOff() {
        let shared = Array(Int32(0)..<1024)
        let requests = (0..<8).map { index in
            Simulation.Request(
                prompt: shared + [Int32(5000 + index)], answer: [7], arrival: Double(index) * 5)
        }
        let with = Simulation(configuration: configuration(), costs: costs).run(requests)
        #expect(abs(with.hitRate - 7.0 * 1024 / (8 * 1025)) < 1e-9)
        var none = configuration()
        none.disableRadixCache = true
        let without = Simulation(configuration: none, costs: costs).run(requests)
        #expect(without.hitRate == 0)
        #expect(without.medianTimeToFirstToken > 10 * with.medianTimeToFirstToken)
    }

    /// A round begins when the one before is over, and finds what that one left.
    @Test func roundsFollowEachOther() {
        let shared = Array(Int32(0)..<512)
        let round = [Simulation.Request(prompt: shared + [5000], answer: [7], arrival: 99)]
        let next = [Simulation.Request(prompt: shared + [6000], answer: [7], arrival: 0)]
        let one = Simulation(configuration: configuration(), costs: costs).run(rounds: [round])
        let both = Simulation(configuration: configuration(), costs: costs).run(rounds: [round, next])
        #expect(abs(one.seconds - one.latencies[0]) < 1e-9)
        #expect(both.cachedTokens == 512)
        #expect(abs(both.seconds - one.seconds - 0.011) < 1e-9)
    }

    @Test func costsAreInterpolatedAndRisePastTheEnd() {
        #expect(abs(costs.prefill(tokens: 512, chunk: 512) - 0.501) < 1e-12)
        #expect(abs(costs.decodeStep(sequences: 1, context: 100) - 0.011) < 1e-12)
        #expect(costs.decodeStep(sequences: 1024, context: 0) > 0.9)
    }

    /// Rows see their own sequence only: the same rows in one sequence and in several, behind the same context.
    @Test func contextCostsWhatTheRowsSeeOfIt() {
        let costs = CostModel(
            rows: [.init(rows: 1, seconds: 3), .init(rows: 101, seconds: 103)],
            sampled: [.init(rows: 0, seconds: -0.5), .init(rows: 1, seconds: 0), .init(rows: 11, seconds: 5)],
            context: [.init(rows: 1, seconds: 0.01), .init(rows: 101, seconds: 1.01)])
        #expect(abs(costs.prefill(tokens: 100, chunk: 100) - (2 + 100)) < 1e-9)
        #expect(abs(costs.prefill(tokens: 100, chunk: 50) - (2 * 52 - 0.5 + 50 * 0.5)) < 1e-9)
        // Ten rows would see 50 pairs among themselves in one sequence; alone each sees half of one.
        #expect(abs(costs.decodeStep(sequences: 10, context: 200) - (12 + 4.5 + 0.01 * (2000 + 5 - 50))) < 1e-9)
    }
}

struct DivergenceTests {
    private let rules = (0..<12).map { "Rule \($0): answer politely and never promise a delivery date to anybody.\n" }
        .joined()

    private func find(_ prompts: [[LoggedRequest.Segment]]) -> DivergenceFinder {
        var finder = DivergenceFinder()
        for prompt in prompts { finder.add(prompt) }
        return finder
    }

    private func system(_ text: String, user: String) -> [LoggedRequest.Segment] {
        [.init(name: "system message", text: text), .init(name: "user message", text: user)]
    }

    @Test(arguments: [
        "Current time: 2026-11-0%D 10:1%D:07\n", "It is 1%D:2%D.\n", "now=17%D0000%D00\n", "Date: 0%D/11/2026\n",
    ])
    func timestampsAreNamed(line: String) {
        let finder = find(
            (1..<9).map { system(line.replacing("%D", with: "\($0)") + rules, user: "Question \($0 * 7919)?") })
        #expect(finder.found.first?.cause == .timestamp, "\(finder.found)")
        #expect(finder.found.first?.segment == "system message")
        #expect(Double(finder.lostBytes) / Double(finder.totalBytes) > 0.6)
    }

    @Test func identifiersAreNamed() {
        var random = SeededGenerator(seed: 4)
        let finder = find(
            (0..<8).map { _ in
                system("User: u\(UInt32.random(in: 1...(.max), using: &random))x\n" + rules, user: "What now?")
            })
        #expect(finder.found.first?.cause == .identifier, "\(finder.found)")
    }

    @Test func toolOrderIsNamed() {
        var random = SeededGenerator(seed: 5)
        let tools = (0..<6).map {
            "{\"type\":\"function\",\"function\":{\"name\":\"tool_\($0)\",\"description\":\"does \($0)\"}}"
        }
        let finder = find(
            (0..<8).map { _ in
                [.init(name: "tools", text: tools.shuffled(using: &random).joined(separator: "\n") + "\n")]
                    + system(rules, user: "Go on.")
            })
        #expect(finder.found.first?.cause == .toolOrder, "\(finder.found)")
    }

    @Test func shuffledDocumentsAreNamed() {
        var random = SeededGenerator(seed: 6)
        let documents = ["Apples", "Bridges", "Clouds", "Dunes", "Engines"].map { name in
            "\(name) are described here at some length, so that this is a document of its own about them.\n"
        }
        let finder = find(
            (0..<10).map { _ in system("Use these:\n" + documents.shuffled(using: &random).joined(), user: "Summarize.")
            })
        #expect(finder.found.first?.cause == .reordered, "\(finder.found)")
    }

    @Test func growingConversationsLoseNothing() {
        var text = rules
        let finder = find(
            (0..<8).map { turn in
                text += "Turn \(turn): something new was said that nobody had said before in this place.\n"
                return system(text, user: "")
            })
        #expect(finder.lostBytes == 0, "\(finder.found)")
    }

    @Test func distinctPromptsHaveNothingToGain() {
        var random = SeededGenerator(seed: 7)
        var reuse = ReuseDistance()
        var finder = DivergenceFinder()
        for _ in 0..<40 {
            let words = (0..<80).map { _ in String(UInt32.random(in: 0...(.max), using: &random), radix: 36) }
            let text = words.joined(separator: " ")
            reuse.add(text.utf8.map { Int32($0) })
            finder.add([.init(name: "prompt", text: text)])
        }
        let advice = Advice(
            requests: 40, promptTokens: reuse.promptTokens, outputTokens: 0, reuse: reuse, finder: finder,
            poolTokens: 1 << 16, simulated: nil, assumptions: ["none"])
        #expect(advice.nothingToGain)
        #expect(advice.text.contains("Nothing is to be gained"))
    }

    @Test func whereNoRequestFitsNothingIsSaidToBeSimulated() {
        var reuse = ReuseDistance()
        for _ in 0..<4 { reuse.add(Array(0..<500)) }
        let advice = Advice(
            requests: 4, promptTokens: reuse.promptTokens, outputTokens: 0, reuse: reuse, finder: DivergenceFinder(),
            poolTokens: 1 << 16, simulated: (Simulation.Result(), Simulation.Result()), assumptions: [])
        #expect(advice.text.contains("No simulation: none of the requests fits"))
        #expect(!advice.text.contains("gain"))
    }
}
