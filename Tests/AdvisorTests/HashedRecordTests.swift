import Advisor
import Testing

struct HashedRecordTests {
    private func body(_ system: String, _ user: String) -> [UInt8] {
        Array(
            #"{"messages":[{"role":"system","content":"\#(system)"},{"role":"user","content":"\#(user)"}]}"#.utf8)
    }

    @Test func equalBeginningsAndNothingElseCanBeTold() throws {
        let rules = String(repeating: "Be kind to everybody who asks. ", count: 20)
        let lines = [("What is up?", 1.0), ("Something else entirely, please.", 2.5)].compactMap { user, time in
            HashedRecord.line(body: body(rules, user), time: time, outputTokens: 4)
        }
        let traffic = LogReader.read(lines)
        let (requests, skipped) = (traffic.requests, traffic.skipped)
        #expect(requests.count == 2 && skipped == 0)
        guard case .blocks(let first, let tokens) = requests[0].prompt, case .blocks(let second, _) = requests[1].prompt
        else {
            Issue.record("expected blocks")
            return
        }
        #expect(tokens == 16 && requests.map(\.time) == [1, 2.5] && requests[0].outputTokens == 4)
        let shared = zip(first, second).prefix { $0 == $1 }.count
        // `<system>`, twenty sentences of 31 bytes, `<user>`.
        #expect(shared == (9 + 20 * 31 + 1 + 7) / 64)
        #expect(Set(first).count == first.count)
        let text = String(decoding: lines[0], as: UTF8.self)
        #expect(!text.contains("kind") && !text.contains("What"))
        #expect(HashedRecord.line(body: Array("{}".utf8), time: 0, outputTokens: nil) == nil)
    }
}
