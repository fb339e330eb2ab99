import Server
import TestSupport
import Testing
import TextGeneration
import WireTypes

/// SGLang's `/parse_function_call` and `/separate_reasoning`.
struct ParseRoutesTests {
    private static func body(_ members: [(String, JSONValue)]) -> String {
        var writer = JSONWriter()
        writer.value(.object(JSONObject(members)))
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    @Test func callsAreFoundInAText() async throws {
        let text = """
            Let me see.
            <tool_call>
            {"name": "add", "arguments": {"a": 1}}
            </tool_call>
            <tool_call>
            {"name": "now", "arguments": {}}
            </tool_call>
            """
        try await TestServer.run { (server) async throws in
            let json = try await server.post(
                "/parse_function_call", Self.body([("text", .string(text)), ("tool_call_parser", .string("qwen25"))])
            ).json()
            #expect(json["normal_text"]?.string == "Let me see.")
            let calls = try #require(json["calls"]?.elements)
            #expect(calls.compactMap { $0["name"]?.string } == ["add", "now"])
            #expect(calls.compactMap { $0["tool_index"]?.int } == [0, 1])
            #expect(calls.compactMap { $0["parameters"]?.string } == [#"{"a": 1}"#, "{}"])
        }
    }

    /// A format without marks is told by the functions' names.
    @Test func theFunctionsAreThoseOfTheRequest() async throws {
        try await TestServer.run { (server) async throws in
            func calls(_ function: String) async throws -> JSONValue {
                try await server.post(
                    "/parse_function_call",
                    #"{"text":"[add(a=1)]","tool_call_parser":"pythonic","tools":[{"type":"function","function":{"name":"\#(function)"}}]}"#
                ).json()
            }
            let found = try await calls("add")
            #expect(found["calls"]?[0]?["name"]?.string == "add" && found["normal_text"]?.string == "")
            let other = try await calls("subtract")
            #expect(other["calls"]?.elements.isEmpty == true && other["normal_text"]?.string == "[add(a=1)]")
        }
    }

    @Test func reasoningIsSeparated() async throws {
        try await TestServer.run { (server) async throws in
            let text = "So.\n</think>\n\nYes."
            let json = try await server.post(
                "/separate_reasoning",
                Self.body([
                    ("text", .string(text)), ("reasoning_parser", .string("deepseek-r1")),
                    ("return_blocks", .bool(true)),
                ])
            ).json()
            #expect(json["reasoning_text"]?.string == "So." && json["text"]?.string == "Yes.")
            #expect(json["blocks"]?.elements.compactMap { $0["type"]?.string } == ["reasoning", "text"])
            #expect(json["blocks"]?[1]?["text"]?.string == "Yes.")
        }
    }

    /// Without a name the served model's own parser reads.
    @Test func theServersParsersAreTheDefault() async throws {
        let parsers = try AnswerParsers(reasoning: "kimi", toolCalls: "llama3", template: nil)
        try await TestServer.run(parsers: parsers) { (server) async throws in
            let reasoning = try await server.post("/separate_reasoning", #"{"text":"◁think▷a◁/think▷b"}"#).json()
            #expect(reasoning["reasoning_text"]?.string == "a" && reasoning["text"]?.string == "b")
            #expect(reasoning["blocks"] == nil)
            let calls = try await server.post(
                "/parse_function_call",
                #"{"text":"<|python_tag|>{\"name\": \"f\", \"parameters\": {\"x\": 2}}","tools":[{"type":"function","function":{"name":"f"}}]}"#
            ).json()
            #expect(calls["calls"]?[0]?["parameters"]?.string == #"{"x": 2}"#)
        }
    }

    @Test func mistakesAreNamed() async throws {
        try await TestServer.run { (server) async throws in
            for (path, body, parameter) in [
                ("/parse_function_call", "{}", "text"),
                ("/parse_function_call", #"{"text":"a","tool_call_parser":"x"}"#, "tool_call_parser"),
                ("/parse_function_call", #"{"text":"a","tools":[{}]}"#, "tools[0].function"),
                ("/separate_reasoning", #"{"text":7}"#, "text"),
                ("/separate_reasoning", #"{"text":"a","reasoning_parser":"x"}"#, "reasoning_parser"),
            ] {
                let response = try await server.post(path, body)
                #expect(response.status == 400, "\(body)")
                #expect(try response.json()["error"]?["param"]?.string == parameter, "\(body)")
            }
            let unknown = try await server.post("/separate_reasoning", #"{"text":"a","reasoning_parser":"x"}"#)
            #expect(unknown.text.contains("deepseek-r1"))
        }
    }
}
