package import EngineInterface
import OutputParsers
import Tokenizers

/// The door of this room: text requests in, streams of text out, over any `GenerationEngine`.
package struct TextEngine: Sendable {
    package let engine: any GenerationEngine
    package let assets: ModelAssets
    package let grammars: GrammarCompiler
    /// What the prefix cache did for the latest requests.
    package let explanations = ExplanationLog()
    /// Told how the requests go; nil if nobody wants to know.
    package var observer: (any GenerationObserver)?

    package init(engine: any GenerationEngine, assets: ModelAssets) {
        self.engine = engine
        self.assets = assets
        grammars = GrammarCompiler(assets, engine.information)
    }

    /// The ids a prompt becomes.
    @concurrent package func promptTokens(
        _ prompt: TextRequest.Prompt
    ) async throws(TextGenerationError) -> [Int32] {
        try PromptBuilder.tokens(of: prompt, assets: assets)
    }

    /// The ids that the engine gets for a request.
    @concurrent package func promptTokens(_ request: TextRequest) async throws(TextGenerationError) -> [Int32] {
        let tokens = try PromptBuilder.tokens(of: request.prompt, assets: assets)
        guard let wanted = request.keptPromptTokens else { return tokens }
        let room = engine.information.contextLength - (request.sampling.maxTokens ?? 1)
        return Array(tokens.suffix(wanted >= 0 ? wanted : max(1, room)))
    }

    /// Renders and encodes, submits, and returns the events. Dropping the stream, or cancelling the task that reads it,
    /// aborts the request.
    package func generate(_ request: TextRequest) async throws(TextGenerationError) -> AsyncStream<TextEvent> {
        let patterns = try StopPatterns(request.stopPatterns)
        let prompt = try await promptTokens(request)
        var generation = GenerationRequest(
            id: request.id, prompt: prompt, sampling: request.sampling, cacheNamespace: request.cacheNamespace,
            priority: request.priority, promptLogprobs: request.promptLogprobs)
        generation.constraint = try await constraint(request, prompt: prompt)
        let events: AsyncStream<GenerationEvent>
        generation.pins = request.pins + wishes(of: request, prompt: prompt)
        do throws(RequestError) { events = try engine.submit(generation) } catch { throw .request(error) }
        var timer = observer.map(GenerationTimer.init)
        var text = TextStream(
            request, promptTokens: prompt.count, tokenizer: assets.tokenizer,
            endOfSequenceIDs: engine.information.endOfSequenceIDs, parser: parser(request, prompt: prompt),
            patterns: patterns)
        let (stream, continuation) = AsyncStream.makeStream(of: TextEvent.self)
        let pump = Task { [engine, explanations, id = request.id, source = request.prompt] in
            for await event in events {
                let told = text.next(event)
                for event in told { timer?.note(event) }
                if case .started(let report) = event {
                    explanations.add(id, report, tokens: prompt, prompt: source)
                }
                // After a stop string the engine would go on. Before the owner is told, who may use the id again then;
                // and never after the engine's own last event, when the id may be somebody else's.
                if text.isFinished, case .token = event { engine.abort(requestID: id) }
                for event in told { continuation.yield(event) }
                if text.isFinished { break }
            }
            continuation.finish()
        }
        continuation.onTermination = { _ in pump.cancel() }
        return stream
    }

    /// The client's marks as pins, with the name of the request.
    private func wishes(of request: TextRequest, prompt: [Int32]) -> [PinRequest] {
        if request.cacheMarks.isEmpty { return [] }
        let map = PromptMap(prompt, of: request.prompt, tokenizer: assets.tokenizer)
        return request.cacheMarks.enumerated().compactMap { index, mark in
            map.tokens(before: mark.place).map {
                PinRequest(id: "\(request.id)-\(index)", tokens: $0, timeToLive: mark.timeToLive, yields: true)
            }
        }
    }

    private func parser(
        _ request: TextRequest, prompt: [Int32]
    ) -> (parser: OutputParser, options: OutputParser.Options)? {
        let options = request.output.options(assets)
        guard options.isNeeded else { return nil }
        return (OutputParser(options, prompt: end(of: prompt)), options)
    }

    /// Templates may open the reasoning themselves, in their last few tokens.
    private func end(of prompt: [Int32]) -> String {
        assets.tokenizer.decode(Array(prompt.suffix(16)), skipSpecialTokens: false)
    }

    /// The request's constraint, compiled; the model may think first, if that is how it answers.
    private func constraint(
        _ request: TextRequest, prompt: [Int32]
    ) async throws(TextGenerationError) -> OutputConstraint? {
        guard let constraint = request.constraint else { return nil }
        let style = request.output.callStyle(assets)
        // Calls that nobody looks for are text.
        if case .toolCalls(let calls) = constraint.form, !calls.isRequired, style == nil { return nil }
        var prefix: GrammarCompiler.ReasoningPrefix?
        if request.output.mayReason, let reasoning = assets.parsers.reasoning {
            let end = end(of: prompt)
            if reasoning == .gptOSS {
                prefix = .harmony
            } else if !reasoning.isOver(inPrompt: end) {
                prefix = .marks(
                    open: reasoning.marks.open, close: reasoning.marks.close,
                    hasBegun: reasoning.beginsInReasoning(afterPrompt: end))
            }
        }
        let grammar = try await grammars.compile(
            constraint, style: style, reasoning: prefix, observer: observer)
        return grammars.outputConstraint(grammar, request.constraintOptions)
    }
}
