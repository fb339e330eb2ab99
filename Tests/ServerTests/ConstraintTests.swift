import EngineInterface
import TestSupport
import Testing
import WireTypes

/// Constraints reach the engine compiled, or are refused with their place.
struct ConstraintTests {
    private static let schema = #"{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]}"#

    @Test func everyEndpointConstrains() async throws {
        let script: @Sendable (GenerationRequest) -> ScriptedEngine.Script = { _ in
            .init(ids: TinyModel.ids("{}"), finish: .complete)
        }
        try await TestServer.run(contextLength: 4096, script: script) { (server) async throws in
            let user = #""messages":[{"role":"user","content":"x"}]"#
            let format = #"{"type":"json_schema","json_schema":{"name":"n","schema":\#(Self.schema)}}"#
            let bodies = [
                ("/v1/chat/completions", #"{\#(user),"response_format":\#(format)}"#),
                ("/v1/chat/completions", #"{\#(user),"tools":[{"function":{"name":"f"}}],"tool_choice":"required"}"#),
                ("/v1/completions", #"{"prompt":"x","guided_regex":"a+"}"#),
                ("/generate", #"{"text":"x","sampling_params":{"ebnf":"root ::= \"a\""}}"#),
            ]
            for (path, body) in bodies {
                let response = try await server.post(path, body)
                #expect(response.status == 200, "\(path): \(response.text)")
                #expect(server.engine.record.submissions.last?.constraint != nil, "\(path)")
            }
            let answer = try await server.post(bodies[0].0, bodies[0].1).json()
            #expect(answer["choices"]?[0]?["finish_reason"]?.string == "stop")
            #expect(answer["choices"]?[0]?["matched_stop"] == .null)
            _ = try await server.post("/v1/completions", #"{"prompt":"x"}"#)
            #expect(server.engine.record.submissions.last?.constraint == nil)
        }
    }

    @Test func whatCannotBeEnforcedIsRefusedWithItsPlace() async throws {
        try await TestServer.run(contextLength: 4096) { (server) async throws in
            let user = #""messages":[{"role":"user","content":"x"}]"#
            let tool = #"{"function":{"name":"f","parameters":{"type":"thing"}}}"#
            let cases = [
                (#"{\#(user),"regex":"(a"}"#, "regex"), (#"{\#(user),"ebnf":"root ::= other"}"#, "ebnf"),
                (#"{\#(user),"json_schema":{"type":"thing"}}"#, "json_schema"),
                (#"{\#(user),"tools":[\#(tool)],"tool_choice":"required"}"#, "tools[0].function.parameters"),
            ]
            for (body, parameter) in cases {
                let response = try await server.post("/v1/chat/completions", body)
                let error = try response.json()["error"]
                #expect(response.status == 400, "\(body)")
                #expect(error?["param"]?.string == parameter)
                #expect(error?["code"]?.string == "invalid_constraint")
            }
        }
    }
}
