import EngineInterface
import Grammar
import OutputParsers
import TestSupport
import TextGeneration
import Testing

/// A model that thinks before it answers may do so under a constraint too.
struct ReasoningConstraintTests {
    private static func accepts(_ text: String, prompt: String, mayReason: Bool = true) async throws -> Bool {
        var assets = try ByteModel.assets()
        assets.parsers.reasoning = .qwen3
        let scripted = ScriptedEngine(information: ByteModel.information) { _ in .init(ids: [], finish: .complete) }
        let engine = TextEngine(engine: scripted, assets: assets)
        var request = TextRequest(id: "r", prompt: .tokens(ByteModel.ids(prompt)))
        request.output.separatesReasoning = true
        request.output.mayReason = mayReason
        request.constraint = Constraint(.choice(["yes", "no"]), path: "guided_choice")
        for await _ in try await engine.generate(request) {}
        let constraint = try #require(scripted.record.submissions.last?.constraint)
        var matcher = constraint.grammar.makeMatcher()
        return matcher.accept(bytes: Array(text.utf8)) && matcher.canEnd
    }

    @Test func reasoningMayComeFirst() async throws {
        #expect(try await Self.accepts("yes", prompt: "assistant\n"))
        #expect(try await Self.accepts("<think>\nyes or no?\n</think>\n\nno", prompt: "assistant\n"))
        #expect(try await !Self.accepts("maybe</think>no", prompt: "assistant\n"))
        #expect(try await !Self.accepts("<think>yes</think>", prompt: "assistant\n"))
    }

    @Test func reasoningThatThePromptHasBegunGoesOn() async throws {
        #expect(try await Self.accepts("Hm.\n</think>\n\nyes", prompt: "assistant\n<think>\n"))
        #expect(try await !Self.accepts("yes", prompt: "assistant\n<think>\n"))
    }

    @Test func withoutReasoningTheConstraintBeginsAtOnce() async throws {
        #expect(try await Self.accepts("no", prompt: "assistant\n<think>\n\n</think>\n\n"))
        #expect(try await !Self.accepts("<think>x</think>no", prompt: "assistant\n<think>\n\n</think>\n\n"))
        #expect(try await !Self.accepts("<think>x</think>no", prompt: "assistant\n", mayReason: false))
    }
}
