import ChatTemplates
import EngineInterface
import TestSupport
import TextGeneration
import Testing

struct TextEngineTests {
    private static func engine(_ script: ScriptedEngine.Script) throws -> (TextEngine, ScriptedEngine) {
        let scripted = ScriptedEngine(information: ByteModel.information) { _ in script }
        return (TextEngine(engine: scripted, assets: try ByteModel.assets()), scripted)
    }

    private static func request(_ id: String = "r", stop: [String] = [], tokens: Int? = nil) -> TextRequest {
        var sampling = SamplingParameters()
        sampling.maxTokens = tokens
        return TextRequest(
            id: id, prompt: .text("Say it"), sampling: sampling, stop: stop, cacheNamespace: "tenant", priority: 3)
    }

    private static func collect(_ stream: AsyncStream<TextEvent>) async -> (text: String, ends: [TextFinish]) {
        var result = (text: "", ends: [TextFinish]())
        for await event in stream {
            switch event {
            case .started: break
            case .delta(let delta): result.text += delta.text
            case .finished(let finish): result.ends.append(finish)
            }
        }
        return result
    }

    @Test func textInTextOut() async throws {
        let (engine, scripted) = try Self.engine(
            .init(ids: ByteModel.ids("It.") + [ByteModel.end], finish: .stopToken(ByteModel.end), cachedTokens: 4))
        let result = await Self.collect(try await engine.generate(Self.request()))
        #expect(result.text == "It.")
        #expect(
            result.ends == [
                TextFinish(
                    reason: .stopToken(ByteModel.end),
                    usage: GenerationUsage(promptTokens: 6, completionTokens: 4, cachedTokens: 4))
            ])
        let submitted = try #require(scripted.record.submissions.first)
        #expect(submitted.prompt == ByteModel.ids("Say it"))
        #expect(submitted.id == "r" && submitted.cacheNamespace == "tenant" && submitted.priority == 3)
        #expect(scripted.record.aborted.isEmpty)
    }

    @Test func stopStringAbortsTheRequest() async throws {
        let (engine, scripted) = try Self.engine(
            .init(ids: ByteModel.ids("one STOP two three"), pace: .gated))
        let stream = try await engine.generate(Self.request(stop: ["STOP"]))
        scripted.release(9, of: "r")
        let result = await Self.collect(stream)
        #expect(result.text == "one ")
        #expect(result.ends.map(\.reason) == [.stopString("STOP")])
        #expect(result.ends.first?.usage.completionTokens == 8)
        #expect(scripted.record.aborted == ["r"] && scripted.liveCount == 0)
        #expect(scripted.record.abortCalls == ["r"])
    }

    @Test func droppedStreamAborts() async throws {
        let (engine, scripted) = try Self.engine(.init(ids: ByteModel.ids("endless"), pace: .gated))
        var stream: AsyncStream<TextEvent>? = try await engine.generate(Self.request())
        scripted.release(2, of: "r")
        #expect(stream != nil)
        stream = nil
        #expect(await scripted.waits { $0.aborted == ["r"] })
        #expect(scripted.liveCount == 0)
    }

    @Test func cancelledReaderAborts() async throws {
        let (engine, scripted) = try Self.engine(.init(ids: ByteModel.ids("endless"), pace: .gated))
        let stream = try await engine.generate(Self.request())
        let reader = Task { await Self.collect(stream).ends.count }
        scripted.release(2, of: "r")
        reader.cancel()
        #expect(await scripted.waits { $0.aborted == ["r"] })
        #expect(await reader.value == 0)
    }

    @Test func abortByID() async throws {
        let (engine, scripted) = try Self.engine(.init(ids: ByteModel.ids("endless"), pace: .gated))
        let stream = try await engine.generate(Self.request())
        scripted.release(3, of: "r")
        engine.engine.abort(requestID: "r")
        let result = await Self.collect(stream)
        #expect(result.text == "end" && result.ends.map(\.reason) == [.aborted])
    }

    /// By the time a request has ended by itself, or was refused, its id may be another one's: nothing is aborted.
    @Test(arguments: [
        FinishReason.length, .stopToken(ByteModel.end), .failed(.duplicateID("r")), .failed(.shuttingDown),
    ])
    func endedRequestsAreNotAborted(_ reason: FinishReason) async throws {
        let (engine, scripted) = try Self.engine(.init(ids: ByteModel.ids("text"), finish: reason))
        for _ in 0..<3 {
            let result = await Self.collect(try await engine.generate(Self.request()))
            #expect(result.ends.count == 1)
        }
        #expect(scripted.record.finished == ["r", "r", "r"])
        #expect(scripted.record.abortCalls.isEmpty)
    }

    @Test func refusals() async throws {
        let (engine, scripted) = try Self.engine(
            .init(tokens: [], refusal: .queueFull(limit: 7)))
        await #expect(throws: TextGenerationError.request(.queueFull(limit: 7))) {
            try await engine.generate(Self.request())
        }
        await #expect(throws: TextGenerationError.noChatTemplate) {
            try await engine.generate(TextRequest(id: "c", prompt: .chat(ChatPrompt(messages: [["role": "user"]]))))
        }
        await #expect(throws: TextGenerationError.request(.emptyPrompt)) {
            try await engine.generate(TextRequest(id: "e", prompt: .text("")))
        }
        #expect(scripted.record.submissions.isEmpty)
    }
}
