import Testing
import WireTypes

struct ResponseTests {
    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func errorsAreNested() {
        let body = ErrorBody(
            message: "too \"long\"", parameter: "messages", code: "context_length_exceeded",
            numbers: [("n_prompt_tokens", 9), ("n_ctx", 8)])
        #expect(
            text(body.json)
                == #"{"error":{"message":"too \"long\"","type":"invalid_request_error","param":"messages","code":"context_length_exceeded","n_prompt_tokens":9,"n_ctx":8}}"#
        )
        #expect(text(ErrorBody(message: "m").json).contains(#""param":null,"code":null"#))
    }

    @Test func chatChunksAreEventsWithOneHead() {
        let chunks = ChatChunks(id: "chatcmpl-1", created: 5, model: "a\"b", includeUsage: true)
        var bytes: [UInt8] = []
        chunks.role(index: 0, usage: nil, to: &bytes)
        chunks.delta(index: 1, text: "hé\n", logprobs: nil, usage: nil, to: &bytes)
        chunks.finish(index: 0, .stopToken(2), usage: nil, to: &bytes)
        chunks.total(Usage(promptTokens: 3, completionTokens: 2, cachedTokens: 9), to: &bytes)
        let head = #"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":5,"model":"a\"b","choices":["#
        #expect(
            text(bytes)
                == head
                + #"{"index":0,"delta":{"role":"assistant","content":"","reasoning_content":null},"logprobs":null,"finish_reason":null}],"usage":null}"#
                + "\n\n" + head
                + #"{"index":1,"delta":{"content":"hé\n","reasoning_content":null},"logprobs":null,"finish_reason":null}],"usage":null}"#
                + "\n\n" + head
                + #"{"index":0,"delta":{"content":null,"reasoning_content":null},"logprobs":null,"finish_reason":"stop","matched_stop":2}],"usage":null}"#
                + "\n\n" + head
                + #"],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5,"prompt_tokens_details":{"cached_tokens":3},"completion_tokens_details":{"reasoning_tokens":0}}}"#
                + "\n\n")
    }

    @Test func completionChunksAlwaysHaveText() {
        let chunks = CompletionChunks(id: "cmpl-1", created: 5, model: "m", includeUsage: false)
        var bytes: [UInt8] = []
        chunks.finish(index: 2, .length, usage: nil, to: &bytes)
        #expect(
            text(bytes)
                == #"data: {"id":"cmpl-1","object":"text_completion","created":5,"model":"m","choices":[{"index":2,"text":"","logprobs":null,"finish_reason":"length","matched_stop":null}]}"#
                + "\n\n")
    }

    private let logprobs = [
        TokenLogprobs(
            token: .init(id: 1, text: "a", bytes: [97], logprob: -0.5),
            top: [
                .init(id: 1, text: "a", bytes: [97], logprob: -0.5),
                .init(id: 2, text: "\u{FFFD}", bytes: [0xC3], logprob: -.infinity),
            ]),
        TokenLogprobs(token: .init(id: 3, text: "bc", bytes: [98, 99], logprob: -1.25), top: []),
    ]

    @Test func writesLogprobsOfBothEndpoints() {
        var writer = JSONWriter()
        ChatLogprobs.write(logprobs, to: &writer)
        #expect(
            text(writer.bytes)
                == #"{"content":[{"token":"a","logprob":-0.5,"bytes":[97],"top_logprobs":[{"token":"a","logprob":-0.5,"bytes":[97]},{"token":"�","logprob":-9999.0,"bytes":[195]}]},{"token":"bc","logprob":-1.25,"bytes":[98,99],"top_logprobs":[]}],"refusal":null}"#
        )
        writer = JSONWriter()
        CompletionLogprobs.write(logprobs, offset: 4, to: &writer)
        #expect(
            text(writer.bytes)
                == #"{"tokens":["a","bc"],"token_logprobs":[-0.5,-1.25],"top_logprobs":[{"a":-0.5,"�":-9999.0},{}],"text_offset":[4,5]}"#
        )
    }

    @Test func nativeAnswersGrow() {
        var answer = GenerateAnswer(requestID: "r", topLogprobs: 1, returnsText: true)
        answer.promptTokens = 4
        answer.cachedTokens = 2
        answer.cachedDetails.device = 2
        for token in logprobs {
            answer.append(id: token.token.id)
            answer.append(token)
        }
        answer.append(text: "a")
        answer.append(text: "\"c")
        var writer = JSONWriter()
        answer.write(index: nil, to: &writer)
        #expect(
            text(writer.bytes)
                == #"{"text":"a\"c","output_ids":[1,3],"meta_info":{"id":"r","finish_reason":null,"prompt_tokens":4,"completion_tokens":2,"cached_tokens":2,"cached_tokens_details":{"device":2,"host":0},"weight_version":"default","input_token_logprobs":[],"input_top_logprobs":[],"output_token_logprobs":[[-0.5,1,"a"],[-1.25,3,"bc"]],"output_top_logprobs":[[[-0.5,1,"a"],[-9999.0,2,"�"]],[]]}}"#
        )
        answer.finish = .stopString("x")
        answer.latency = 1.5
        writer = JSONWriter()
        answer.write(index: 3, to: &writer)
        #expect(text(writer.bytes).contains(#""finish_reason":{"type":"stop","matched":"x"}"#))
        #expect(text(writer.bytes).hasSuffix(#""e2e_latency":1.5},"index":3}"#))
        answer.finish = .length
        writer = JSONWriter()
        answer.write(index: nil, to: &writer)
        #expect(text(writer.bytes).contains(#""finish_reason":{"type":"length","length":2}"#))
    }

    @Test func everyResponseIsJSON() throws {
        let choice = ChatCompletionResponse.Choice(content: "a\u{1}\"", logprobs: logprobs, finish: .stopString("x"))
        let chat = ChatCompletionResponse(id: "i", created: 1, model: "m", choices: [choice], usage: Usage())
        guard case .object(let object) = try JSONParser.parse(chat.json) else {
            Issue.record("no object")
            return
        }
        #expect(object.members.map(\.name) == ["id", "object", "created", "model", "choices", "usage"])
        let completion = CompletionResponse(
            id: "i", created: 1, model: "m", choices: [.init(text: "t", logprobs: logprobs, finish: .length)],
            usage: Usage())
        _ = try JSONParser.parse(completion.json)
        let card = ModelCard(id: "a/b", created: 1, root: "/m", contextLength: 8)
        _ = try JSONParser.parse(ModelCard.list([card, card]))
        #expect(text(card.json).hasPrefix(#"{"id":"a/b","object":"model""#))
    }
}
