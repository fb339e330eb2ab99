import EngineInterface
import Server
import TestSupport
import Testing
import TextGeneration
import WireTypes

/// Calls of functions as the Responses API, Anthropic's Messages and Ollama tell them: what comes between calls stays
/// between them, whether the reader keeps up with the stream or not.
struct OtherAPIToolTests {
    private static let answer = """
        <think>
        A sum.
        </think>

        Let me add.
        <tool_call>
        {"name": "add", "arguments": {"a": 1, "b": "ü"}}
        </tool_call>
        And the time.
        <tool_call>
        {"name": "now", "arguments": {}}
        </tool_call>
        Done.
        """
    private static let arguments = [#"{"a": 1, "b": "ü"}"#, "{}"]
    private static let names = ["add", "now"]

    private static let responsesBody = """
        "input":"1 + 1?","tools":[{"type":"function","name":"add","parameters":{"type":"object"}},\
        {"type":"function","name":"now"}]
        """
    private static let messagesBody = """
        "max_tokens":2000,"messages":[{"role":"user","content":"1 + 1?"}],"tools":[{"name":"add","input_schema":\
        {"type":"object"}},{"name":"now","input_schema":{"type":"object"}}]
        """
    private static let ollamaBody = """
        "messages":[{"role":"user","content":"1 + 1?"}],"tools":[{"type":"function","function":{"name":"add"}},\
        {"type":"function","function":{"name":"now"}}]
        """

    /// Runs a server that gives the answer, once as fast as it can be written and once token by token.
    private static func atEachPace(_ body: @escaping @Sendable (TestServer) async throws -> Void) async throws {
        for pace in [ScriptedEngine.Script.Pace.immediate, .every(.milliseconds(1))] {
            try await TestServer.run(
                parsers: try AnswerParsers(reasoning: "qwen3", toolCalls: "hermes", template: nil), contextLength: 4096,
                script: { _ in
                    .init(
                        ids: TinyModel.ids(answer) + [TinyModel.end], finish: .stopToken(TinyModel.end), pace: pace)
                }, body)
        }
    }

    private static func lines(_ response: RawResponse) throws -> [JSONValue] {
        try response.text.split(separator: "\n").map { try JSONParser.parse(Array($0.utf8)) }
    }

    /// Without the lines that only lay the text out.
    private static func trimmed(_ text: String) -> String { String(text.drop(while: \.isNewline)) }

    // MARK: Responses

    @Test func aResponseStreamsEachItemUnderItsOwnIDAndIndex() async throws {
        try await Self.atEachPace { (server) async throws in
            let response = try await server.post("/v1/responses", "{\(Self.responsesBody),\"stream\":true}")
            let events = try response.events()
            #expect(events.compactMap { $0["sequence_number"]?.int } == Array(events.indices))
            var ids: [String] = []
            var told: [String] = []
            var done: [JSONValue] = []
            for event in events {
                let type = try #require(event["type"]?.string)
                switch type {
                case "response.output_item.added":
                    #expect(event["output_index"]?.int == ids.count)
                    #expect(event["item"]?["status"]?.string == "in_progress")
                    ids.append(try #require(event["item"]?["id"]?.string))
                    told.append("")
                case "response.output_item.done":
                    #expect(event["output_index"]?.int == ids.count - 1)
                    #expect(event["item"]?["id"]?.string == ids.last && event["item"]?["status"]?.string == "completed")
                    done.append(try #require(event["item"]))
                case "response.created", "response.in_progress", "response.completed": break
                default:
                    #expect(event["item_id"]?.string == ids.last && event["output_index"]?.int == ids.count - 1)
                    if type.hasSuffix(".delta") { told[told.count - 1] += try #require(event["delta"]?.string) }
                    if type.hasSuffix("arguments.done") { #expect(event["arguments"]?.string == told.last) }
                    if type.hasSuffix("text.done") { #expect(event["text"]?.string == told.last) }
                }
            }
            #expect(Set(ids).count == 6)
            #expect(
                told.map(Self.trimmed) == [
                    "A sum.", "Let me add.", Self.arguments[0], "And the time.", Self.arguments[1], "Done.",
                ])
            #expect(
                done.compactMap { $0["type"]?.string }
                    == ["reasoning", "message", "function_call", "message", "function_call", "message"])
            let calls = done.filter { $0["type"]?.string == "function_call" }
            #expect(calls.compactMap { $0["name"]?.string } == Self.names)
            #expect(calls.compactMap { $0["arguments"]?.string } == Self.arguments)
            #expect(Set(calls.compactMap { $0["call_id"]?.string }).count == 2)
            #expect(events.last?["response"]?["output"]?.elements == done)
        }
    }

    @Test func aWholeResponseHasTheSameItems() async throws {
        try await Self.atEachPace { (server) async throws in
            let output = try await server.post("/v1/responses", "{\(Self.responsesBody)}").json()["output"]
            let items = try #require(output?.elements)
            #expect(
                items.compactMap { $0["type"]?.string }
                    == ["reasoning", "message", "function_call", "message", "function_call", "message"])
            #expect(items.compactMap { $0["arguments"]?.string } == Self.arguments)
            #expect(
                items.compactMap { $0["content"]?[0]?["text"]?.string }.map(Self.trimmed)
                    == ["A sum.", "Let me add.", "And the time.", "Done."])
        }
    }

    // MARK: Messages

    @Test func aMessageStreamsEachBlockUnderItsOwnIndex() async throws {
        try await Self.atEachPace { (server) async throws in
            let events = try await server.post("/v1/messages", "{\(Self.messagesBody),\"stream\":true}").events()
            var blocks: [JSONValue] = []
            var told: [String] = []
            var kinds: [Set<String>] = []
            var open = 0
            for event in events {
                switch event["type"]?.string {
                case "content_block_start":
                    #expect(event["index"]?.int == blocks.count && open == 0)
                    blocks.append(try #require(event["content_block"]))
                    told.append("")
                    kinds.append([])
                    open += 1
                case "content_block_delta":
                    #expect(event["index"]?.int == blocks.count - 1 && open == 1)
                    let delta = try #require(event["delta"])
                    kinds[kinds.count - 1].insert(try #require(delta["type"]?.string))
                    told[told.count - 1] +=
                        try #require(
                            delta["thinking"]?.string ?? delta["text"]?.string ?? delta["partial_json"]?.string)
                case "content_block_stop":
                    #expect(event["index"]?.int == blocks.count - 1)
                    open -= 1
                case "message_delta": #expect(event["delta"]?["stop_reason"]?.string == "tool_use")
                default: break
                }
            }
            #expect(
                blocks.compactMap { $0["type"]?.string } == [
                    "thinking", "text", "tool_use", "text", "tool_use", "text",
                ]
            )
            #expect(
                told.map(Self.trimmed) == [
                    "A sum.", "Let me add.", Self.arguments[0], "And the time.", Self.arguments[1], "Done.",
                ])
            #expect(
                kinds == [
                    ["thinking_delta"], ["text_delta"], ["input_json_delta"], ["text_delta"], ["input_json_delta"],
                    ["text_delta"],
                ])
            let calls = blocks.filter { $0["type"]?.string == "tool_use" }
            #expect(calls.compactMap { $0["name"]?.string } == Self.names)
            #expect(calls.allSatisfy { $0["input"] == .object(JSONObject()) })
            #expect(Set(calls.compactMap { $0["id"]?.string }).count == 2)
        }
    }

    @Test func aWholeMessageHasTheSameBlocks() async throws {
        try await Self.atEachPace { (server) async throws in
            let message = try await server.post("/v1/messages", "{\(Self.messagesBody)}").json()
            let blocks = try #require(message["content"]?.elements)
            #expect(message["stop_reason"]?.string == "tool_use")
            #expect(
                blocks.compactMap { $0["thinking"]?.string ?? $0["text"]?.string ?? $0["name"]?.string }.map(
                    Self.trimmed)
                    == ["A sum.", "Let me add.", "add", "And the time.", "now", "Done."])
            #expect(blocks[2]["input"]?["a"]?.int == 1 && blocks[2]["input"]?["b"]?.string == "ü")
            #expect(blocks[4]["input"] == .object(JSONObject()))
        }
    }

    /// The tool's result comes back as a block of the user's, and the model sees both.
    @Test func aResultOfACallReachesTheModel() async throws {
        try await Self.atEachPace { (server) async throws in
            let history = """
                {"max_tokens":9,"messages":[{"role":"user","content":"1 + 1?"},{"role":"assistant","content":[{"type":\
                "tool_use","id":"call_1","name":"add","input":{"a":1}}]},{"role":"user","content":[{"type":\
                "tool_result","tool_use_id":"call_1","content":"2"}]}]}
                """
            #expect(try await server.post("/v1/messages", history).status == 200)
            let prompt = TinyModel.text(try #require(server.engine.record.submissions.first).prompt)
            #expect(prompt.contains(#"{"name": "add", "arguments": {"a": 1}}"#))
            #expect(prompt.contains("<tool_response>\n2\n</tool_response>"))
        }
    }

    // MARK: Ollama

    @Test func ollamaTellsCallsWholeWithArgumentsAsObjects() async throws {
        try await Self.atEachPace { (server) async throws in
            let lines = try Self.lines(try await server.post("/api/chat", "{\(Self.ollamaBody)}"))
            let whole = try await server.post("/api/chat", "{\(Self.ollamaBody),\"stream\":false}").json()
            for messages in [lines.compactMap { $0["message"] }, [try #require(whole["message"])]] {
                #expect(
                    messages.compactMap { $0["content"]?.string }.joined() == "Let me add.\n\nAnd the time.\n\nDone.")
                #expect(messages.compactMap { $0["thinking"]?.string }.joined() == "A sum.")
                let calls = messages.flatMap { $0["tool_calls"]?.elements ?? [] }.compactMap { $0["function"] }
                #expect(calls.compactMap { $0["name"]?.string } == Self.names)
                #expect(calls.first?["arguments"]?["b"]?.string == "ü")
                #expect(calls.last?["arguments"] == .object(JSONObject()))
            }
            #expect(lines.last?["done"] == .bool(true) && lines.last?["done_reason"]?.string == "stop")
        }
    }
}
