import Glibc
import LoadBench
import Testing
import WireTypes

struct DatasetTests {
    @Test func sameSeedSameWork() {
        var random = RandomDataset(count: 20, inputLength: 40, outputLength: 10)
        let items = random.items(codec: byteCodec, seed: 7)
        #expect(items == random.items(codec: byteCodec, seed: 7))
        #expect(items != random.items(codec: byteCodec, seed: 8))
        random.consecutiveIDs = true
        #expect(random.items(codec: byteCodec, seed: 7) == random.items(codec: byteCodec, seed: 7))
        var shared = SharedPrefixDataset()
        shared.groups = 3
        shared.promptsPerGroup = 4
        shared.systemLength = 50
        #expect(shared.items(codec: byteCodec, seed: 1) == shared.items(codec: byteCodec, seed: 1))
        #expect(shared.items(codec: byteCodec, seed: 1) != shared.items(codec: byteCodec, seed: 2))
    }

    @Test func lengthsFollowTheRangeRatio() {
        let full = RandomDataset(count: 50, inputLength: 64, outputLength: 8, rangeRatio: 1)
        for item in full.items(codec: byteCodec, seed: 1) {
            // The server adds one token to a text.
            #expect(item.promptTokens == 63 && item.outputTokens == 8)
            guard case .text(let text) = item.prompt else { return }
            #expect(byteCodec.encode(text).count == 63)
        }
        let half = RandomDataset(count: 400, inputLength: 64, outputLength: 64, rangeRatio: 0.5)
        let outputs = half.items(codec: byteCodec, seed: 1).map(\.outputTokens)
        #expect(outputs.min() == 32 && outputs.max() == 64)
        let mean = Double(outputs.reduce(0, +)) / 400
        #expect(abs(mean - 48) < 2.5)
    }

    @Test func consecutiveIDsRunOnAndWrap() {
        let dataset = RandomDataset(
            count: 30, inputLength: 100, outputLength: 4, rangeRatio: 1, consecutiveIDs: true, asTokens: true)
        for item in dataset.items(codec: byteCodec, seed: 3) {
            guard case .tokens(let ids) = item.prompt else {
                Issue.record("expected ids")
                return
            }
            #expect(ids.count == 100)
            for (a, b) in zip(ids, ids.dropFirst()) { #expect(b == (a + 1) % 128) }
        }
    }

    @Test func groupsShareTheirSystemPromptAndNothingElse() {
        var shared = SharedPrefixDataset()
        shared.groups = 4
        shared.promptsPerGroup = 5
        shared.systemLength = 80
        shared.questionLength = 40
        shared.ordered = true
        let texts = shared.items(codec: byteCodec, seed: 5).map { item in
            if case .text(let text) = item.prompt { text } else { "" }
        }
        #expect(texts.count == 20)
        for group in 0..<4 {
            let own = texts[group * 5..<group * 5 + 5]
            #expect(Set(own.map { $0.prefix(82) }).count == 1)
            #expect(Set(own).count == 5)
        }
        #expect(Set(texts.map { $0.prefix(80) }).count == 4)
    }

    @Test func zipfPrefersTheFirstGroups() {
        var shared = SharedPrefixDataset()
        shared.groups = 8
        shared.promptsPerGroup = 100
        shared.systemLength = 30
        shared.questionLength = 8
        shared.ordered = true
        let uniform = shared.items(codec: byteCodec, seed: 5)
        shared.distribution = .zipf(alpha: 1.2)
        let items = shared.items(codec: byteCodec, seed: 5)
        func beginning(_ item: WorkItem) -> Substring {
            if case .text(let text) = item.prompt { text.prefix(30) } else { "" }
        }
        let hottest = beginning(uniform[0])
        let share = Double(items.count { beginning($0) == hottest }) / 800
        // 1 / sum(r^-1.2, r = 1...8) = 0.435
        #expect(abs(share - 0.435) < 0.06)
    }

    @Test func conversationsAreReadInAllSpellings() throws {
        let path = "/tmp/radish-conversations-\(getpid()).jsonl"
        let lines = [
            #"{"conversations":[{"from":"human","value":"first question"},{"from":"gpt","value":"an answer"}]}"#,
            #"{"messages":[{"role":"system","content":"s"},{"role":"user","content":"second question"},"#
                + #"{"role":"assistant","content":"reply"},{"role":"user","content":"and then?"}]}"#,
            #"{"conversations":[{"value":"alone"}]}"#, "no json",
        ]
        try DatasetFile.write(Array(lines.joined(separator: "\n").utf8), to: path)
        defer { unlink(path) }
        var dataset = ConversationDataset(path: path, count: 10)
        let items = try dataset.items(codec: byteCodec, seed: 1)
        #expect(items.count == 2)
        #expect(items.contains { $0.prompt == .text("second question") })
        #expect(items.first { $0.prompt == .text("first question") }?.outputTokens == 9)
        dataset.allTurns = true
        dataset.appliesChatTemplate = true
        let turns = try dataset.items(codec: byteCodec, seed: 1)
        #expect(turns.contains { $0.prompt == .rounds(["<user>second question</user>", "and then?"]) })
        #expect(throws: LoadBenchError.self) {
            try ConversationDataset(path: "/no/such/file", count: 1).items(codec: byteCodec, seed: 1)
        }
    }

    @Test func mooncakeBlocksAreSharedAsRecorded() throws {
        let path = "/tmp/radish-mooncake-\(getpid()).jsonl"
        let lines = [
            #"{"timestamp": 2000, "input_length": 1024, "output_length": 5, "hash_ids": [1, 2]}"#,
            #"{"timestamp": 1000, "input_length": 1024, "output_length": 7, "hash_ids": [1, 3]}"#,
        ]
        try DatasetFile.write(Array(lines.joined(separator: "\n").utf8), to: path)
        defer { unlink(path) }
        let items = try MooncakeDataset(path: path, count: 10).items(codec: byteCodec, seed: 1)
        #expect(items.map(\.outputTokens) == [7, 5])
        #expect(Arrivals.trace(slowdown: 2).times(of: items, seed: 0) == [0, 2])
        guard case .text(let a) = items[0].prompt, case .text(let b) = items[1].prompt else { return }
        #expect(a.prefix(128) == b.prefix(128) && a.prefix(200) != b.prefix(200))
    }
}
