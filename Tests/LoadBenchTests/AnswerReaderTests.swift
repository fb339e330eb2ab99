import LoadBench
import TestSupport
import Testing

struct AnswerReaderTests {
    @Test func tokensWithoutTextCount() {
        var reader = AnswerReader(
            RequestOutcome(item: 0, planned: 0, start: 1, promptTokens: 3, outputTokens: 9), dialect: .generate,
            streams: true)
        for (count, time) in [(1, 1.5), (2, 1.75), (4, 2.0)] {
            reader.receive(
                Array("data: {\"text\":\"\",\"meta_info\":{\"completion_tokens\":\(count)}}\n\n".utf8), at: time)
        }
        let outcome = reader.finish(at: 3)
        #expect(outcome.timeToFirstToken == 0.5)
        #expect(outcome.interTokenTimes == [0.25, 0.125, 0.125])
        #expect(outcome.outputTokens == 4)
    }

    @Test func aChatWithoutTextHasAFirstEvent() {
        var reader = AnswerReader(
            RequestOutcome(item: 0, planned: 0, start: 1, promptTokens: 3, outputTokens: 9), dialect: .chat,
            streams: true)
        reader.receive(Array(#"data: {"choices":[{"delta":{"content":""}}]}"#.utf8) + [10, 10], at: 1.25)
        reader.receive(
            Array(#"data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":5}}"#.utf8) + [10, 10], at: 2)
        let outcome = reader.finish(at: 2)
        #expect(outcome.timeToFirstToken == 0.25)
        #expect(outcome.outputTokens == 5)
    }

    @Test func cachedTokensByTier() {
        var reader = AnswerReader(
            RequestOutcome(item: 0, planned: 0, start: 0, promptTokens: 3, outputTokens: 9), dialect: .generate,
            streams: true)
        let details = #"{"device":4,"host":3,"storage":2,"storage_backend":"file"}"#
        let meta = #"{"completion_tokens":1,"cached_tokens":9,"cached_tokens_details":\#(details)}"#
        reader.receive(Array(#"data: {"text":"a","meta_info":\#(meta)}"#.utf8) + [10, 10], at: 1)
        let outcome = reader.finish(at: 2)
        #expect(outcome.cachedTokens == 9)
        #expect(outcome.cachedByTier == CachedByTier(device: 4, host: 3, storage: 2, storageBackend: "file"))
    }

    private func blank() -> RequestOutcome {
        RequestOutcome(item: 0, planned: 0, start: 1, promptTokens: 5, outputTokens: 99)
    }

    private static let generate = """
        data: {"text": "", "meta_info": {"prompt_tokens": 6, "completion_tokens": 0, "cached_tokens": 2}}\n
        data: {"text": "A\\"b", "output_ids": [1], "meta_info": {"finish_reason": null, "completion_tokens": 1}}\n
        : keep-alive\n
        data: {"text": "A\\"b\\u00e9 c", "meta_info": {"finish_reason": {"type": "length", "length": 4}, \
        "completion_tokens": 4, "cached_tokens": 2}}\n
        data: [DONE]\n\n
        """

    @Test func timesOfACumulativeStream() {
        var reader = AnswerReader(blank(), dialect: .generate, streams: true)
        let events = Self.generate.split(separator: "\n\n", omittingEmptySubsequences: true)
        for (index, event) in events.enumerated() {
            reader.receive(Array((event + "\n\n").utf8), at: 2 + Double(index))
        }
        let outcome = reader.finish(at: 9)
        #expect(outcome.isSuccess && outcome.text == "A\"bé c")
        #expect(outcome.timeToFirstToken == 2)
        // Three tokens came with the second text, two seconds after the first.
        #expect(outcome.interTokenTimes.count == 3)
        #expect(outcome.interTokenTimes.allSatisfy { abs($0 - 2.0 / 3) < 1e-12 })
        #expect(outcome.outputTokens == 4 && outcome.serverPromptTokens == 6 && outcome.cachedTokens == 2)
        #expect(outcome.latency == 5)
        #expect(abs((outcome.timePerOutputToken ?? 0) - 1) < 1e-12)
    }

    /// However the network cuts the bytes, the counts and the text are the same.
    @Test func anySplitGivesTheSameAnswer() {
        var random = SeededGenerator(seed: 11)
        let bytes = Array(Self.generate.utf8)
        for _ in 0..<200 {
            var reader = AnswerReader(blank(), dialect: .generate, streams: true)
            var at = 0
            while at < bytes.count {
                let count = min(bytes.count - at, Int.random(in: 1...40, using: &random))
                reader.receive(Array(bytes[at..<at + count]), at: 2)
                at += count
            }
            let outcome = reader.finish(at: 3)
            #expect(outcome.text == "A\"bé c" && outcome.outputTokens == 4 && outcome.chunks == 3)
        }
    }

    @Test func chatAndCompletionStreamsAddUp() {
        for (dialect, name) in [(ServingBackend.Dialect.chat, "content"), (.completions, "text")] {
            let piece = { (text: String) in
                dialect == .chat
                    ? #"{"choices":[{"index":0,"delta":{"role":"assistant","\#(name)":"\#(text)"}}],"usage":null}"#
                    : #"{"choices":[{"index":0,"\#(name)":"\#(text)","logprobs":null}]}"#
            }
            var reader = AnswerReader(blank(), dialect: dialect, streams: true)
            reader.receive(Array("data: \(piece(""))\r\n\r\ndata: \(piece("Hel"))\r\n\r\n".utf8), at: 3)
            reader.receive(Array("data: \(piece("lo"))\n\n".utf8), at: 4)
            let usage =
                #"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"#
                + #""prompt_tokens_details":{"cached_tokens":4}}}"#
            reader.receive(Array("data: \(usage)\n\ndata: [DONE]\n\n".utf8), at: 5)
            let outcome = reader.finish(at: 5)
            #expect(outcome.text == "Hello" && outcome.timeToFirstToken == 2 && outcome.interTokenTimes == [1])
            #expect(outcome.outputTokens == 2 && outcome.serverPromptTokens == 9 && outcome.cachedTokens == 4)
        }
    }

    @Test func failuresKeepTheServersWords() {
        var refused = AnswerReader(blank(), dialect: .chat, streams: true)
        refused.head(status: 503)
        refused.receive(Array(#"{"error":{"message":"The queue is full.","type":"x"}}"#.utf8), at: 2)
        #expect(refused.finish(at: 2).error == "HTTP 503: The queue is full.")
        var broken = AnswerReader(blank(), dialect: .chat, streams: true)
        broken.receive(Array("data: {\"error\":{\"message\":\"out of pages\"}}\n\n".utf8), at: 2)
        #expect(broken.finish(at: 2).error == "out of pages")
        var aborted = AnswerReader(blank(), dialect: .generate, streams: true)
        aborted.receive(
            Array("data: {\"text\":\"a\",\"meta_info\":{\"finish_reason\":{\"type\":\"abort\"}}}\n\n".utf8), at: 2)
        #expect(!aborted.finish(at: 2).isSuccess)
        var empty = AnswerReader(blank(), dialect: .completions, streams: true)
        #expect(!empty.finish(at: 2).isSuccess)
    }

    @Test func wholeAnswers() {
        var reader = AnswerReader(blank(), dialect: .chat, streams: false)
        let body =
            #"{"choices":[{"message":{"role":"assistant","content":"Hi\n"}}],"#
            + #""usage":{"prompt_tokens":3,"completion_tokens":2}}"#
        reader.receive(Array(body.utf8), at: 4)
        let outcome = reader.finish(at: 4)
        #expect(outcome.text == "Hi\n" && outcome.latency == 3 && outcome.timeToFirstToken == 3)
        #expect(outcome.outputTokens == 2)
    }
}
