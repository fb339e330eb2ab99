import EngineInterface
import Hummingbird
import TextGeneration
import Tokenizers
import WireTypes

/// SGLang's `POST /generate`.
struct GenerateRoute: Sendable {
    let parts: ServerParts

    func handle(_ request: Request, _ context: ServerContext) async throws -> Response {
        let engine = try parts.model.engine()
        let json = try await RequestBodyReading.json(request, context, parts.configuration)
        let body: GenerateRequest
        do { body = try GenerateRequest(json) } catch { throw ErrorMapping.failure(error) }
        let names = FieldNames(
            prompt: json.hasMember("text") ? "text" : "input_ids", prefix: "sampling_params.",
            [
                "max_tokens": "sampling_params.max_new_tokens", "min_tokens": "sampling_params.min_new_tokens",
                "top_logprobs": "top_logprobs_num", "prompt_logprobs": "top_logprobs_num",
                "logprob_start_len": "logprob_start_len", "token_ids_logprob": "token_ids_logprob",
                "seed": "sampling_params.sampling_seed",
            ])
        let (requests, session) = try await join(body, Self.textRequests(body), engine)
        let connection = await context.connection()
        let running = try await connection.whileOpen { [parts] in
            try await RunningAnswers.start(requests, engine, parts.inFlight, names)
        }
        var writer = GenerateEventWriter(
            ids: requests.map(\.id), body, texts: TokenTexts(tokenizer: engine.assets.tokenizer),
            record: context.record, session: session)
        if body.cacheReport { writer.cacheReports = CacheReportSource(ids: running.ids, engine: engine) }
        if body.stream { return await parts.events.response(running, writer, request, context, names) }
        let record = context.record
        let answers = try await connection.whileOpen { try await running.collect(keepsTokens: true, record, names) }
        var whole = writer
        for (index, answer) in answers.enumerated() { whole.add(answer, index: index) }
        record.noteEnd(whole.usage, finish: FinishedBy(answers[0].finish.reason).name)
        return Response(json: whole.json)
    }

    /// Puts the tokens of the session in front of the request's own.
    /// - Returns: also how to remember the request once it has ended; nil outside of sessions.
    private func join(
        _ body: GenerateRequest, _ requests: [TextRequest], _ engine: TextEngine
    ) async throws -> ([TextRequest], (@Sendable ([Int32]) -> Void)?) {
        guard let reference = body.session else { return (requests, nil) }
        var request = requests[0]
        let id = request.id
        let own: [Int32]
        do { own = try await engine.promptTokens(request) } catch {
            throw ErrorMapping.failure(error, FieldNames(prompt: "text"))
        }
        let begin = engine.assets.beginOfSequenceToken.flatMap(engine.assets.tokenizer.id(ofToken:))
        let (tokens, parent): ([Int32], String?)
        do { (tokens, parent) = try parts.sessions.prompt(reference, own, begin: begin) } catch {
            throw ErrorMapping.failure(error)
        }
        request.prompt = .tokens(tokens)
        let sessions = parts.sessions
        return (
            [request], { sessions.add(id, to: reference.id, parent: parent, prompt: tokens, output: $0) }
        )
    }

    private static func textRequests(_ body: GenerateRequest) -> [TextRequest] {
        var requests: [TextRequest] = []
        for item in body.items {
            let id = item.requestID ?? RequestIdentity.random("")
            // SGLang takes the model's own defaults on its OpenAI endpoints only.
            let sampling = item.sampling.parameters(
                SamplingParameters(), topLogprobs: item.logprobs?.top, logprobTokenIDs: item.logprobs?.tokenIDs ?? [])
            let scoring = item.logprobs.flatMap { wanted in
                wanted.start.map { PromptLogprobs(start: $0, top: wanted.top) }
            }
            for choice in 0..<item.sampling.count {
                var request = TextRequest(
                    id: item.sampling.count == 1 ? id : "\(id)-\(choice)", prompt: TextRequest.Prompt(item.prompt),
                    sampling: sampling.forChoice(choice), stop: item.sampling.stop,
                    includeStop: item.sampling.includeStop, skipSpecialTokens: item.sampling.skipSpecialTokens,
                    cacheNamespace: body.cacheSalt, priority: body.priority,
                    promptLogprobs: scoring)
                request.stopPatterns = item.sampling.stopPatterns
                request.constrain(item.sampling)
                requests.append(request)
            }
        }
        return requests
    }
}

extension JSONValue {
    fileprivate func hasMember(_ name: String) -> Bool {
        if case .object(let object) = self { object[name] != nil } else { false }
    }
}

/// Answers in SGLang's form: as one value, or an event with everything so far for each step.
struct GenerateEventWriter: EventWriter {
    private var answers: [GenerateAnswer]
    private let isBatch: Bool
    /// For each prompt.
    private let writesLogprobs: [Bool]
    private let texts: TokenTexts
    private let record: RequestRecord
    private var tally: [UsageTally]
    /// For each answer: which prompt, and which of its choices.
    private let places: [(prompt: Int, choice: Int)]
    /// Takes the generated ids of a session's request.
    private let session: (@Sendable ([Int32]) -> Void)?
    /// Nil where not asked for.
    var cacheReports: CacheReportSource?
    private var output: [Int32] = []

    /// - Parameter ids: of the generations, in the order of the prompts and their choices.
    init(
        ids: [String], _ body: GenerateRequest, texts: TokenTexts, record: RequestRecord,
        session: (@Sendable ([Int32]) -> Void)? = nil
    ) {
        self.session = session
        let places = body.items.enumerated().flatMap { prompt, item in
            (0..<item.sampling.count).map { (prompt: prompt, choice: $0) }
        }
        answers = zip(ids, places).map { id, place in
            let logprobs = body.items[place.prompt].logprobs
            return GenerateAnswer(
                requestID: id, topLogprobs: logprobs?.top, returnsText: body.returnText,
                writesAsked: logprobs?.tokenIDs.isEmpty == false)
        }
        isBatch = body.isBatch
        writesLogprobs = body.items.map { $0.logprobs != nil }
        self.texts = texts
        self.record = record
        tally = body.items.map { UsageTally(choices: $0.sampling.count) }
        self.places = places
    }

    var usage: Usage {
        var sum = Usage()
        for part in tally.map(\.usage) {
            sum.promptTokens += part.promptTokens
            sum.cachedTokens += part.cachedTokens
            sum.completionTokens += part.completionTokens
        }
        return sum
    }

    mutating func begin(to bytes: inout [UInt8]) {}

    mutating func write(_ update: AnswerUpdate, to bytes: inout [UInt8]) {
        add(update)
        guard !update.tokens.isEmpty || update.finish != nil, update.finish?.isFailure != true else { return }
        var writer = JSONWriter()
        answers[update.index].write(index: isBatch ? update.index : nil, to: &writer)
        bytes += ServerSentEvent.data(writer.bytes)
    }

    mutating func end(to bytes: inout [UInt8]) {}

    mutating func add(_ answer: WholeAnswer, index: Int) {
        for update in answer.updates(of: index) { add(update) }
    }

    private mutating func add(_ update: AnswerUpdate) {
        let index = update.index
        let place = places[index]
        var counted = AnswerUpdate(index: place.choice, TextDelta(tokens: update.tokens), finish: update.finish)
        counted.report = update.report
        tally[place.prompt].add(counted)
        answers[index].append(text: update.text)
        for token in update.tokens { answers[index].append(id: token.id) }
        for token in texts.logprobs(update.prompt) { answers[index].append(prompt: token) }
        if writesLogprobs[place.prompt] { for token in texts.logprobs(update.tokens) { answers[index].append(token) } }
        if let report = update.report {
            answers[index].promptTokens = report.promptTokens
            answers[index].cachedTokens = report.cachedTokens
            answers[index].cachedDetails = CachedTokensDetails(report)
        }
        if session != nil { output += update.tokens.map(\.id) }
        if let finish = update.finish {
            session?(output)
            answers[index].promptTokens = finish.usage.promptTokens
            answers[index].cachedTokens = finish.usage.cachedTokens
            answers[index].finish = FinishedBy(finish.reason)
            answers[index].latency = record.seconds
            answers[index].cacheReport = cacheReports?.json(of: index)
        }
    }

    /// The answer to a request that does not stream.
    var json: [UInt8] {
        var writer = JSONWriter()
        if isBatch {
            writer.array { writer in for answer in answers { answer.write(index: nil, to: &writer) } }
        } else {
            answers[0].write(index: nil, to: &writer)
        }
        return writer.bytes
    }
}
