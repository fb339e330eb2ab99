import TextGeneration
import WireTypes

/// What the routes share.
struct ServerParts: Sendable {
    let configuration: ServerConfiguration
    let model: ServedModel
    let inFlight: InFlight
    let events: EventStream
    let sessions = SessionStore()
    let responses = ResponseStore()

    /// The name to answer with.
    ///
    /// - Throws: `RequestFailure` 404 naming the served models.
    func modelName(_ requested: String?) throws(RequestFailure) -> String {
        guard let requested, !requested.isEmpty else { return configuration.servedModelNames[0] }
        let isServed = configuration.servedModelNames.contains(requested) || requested == "default"
        guard isServed || configuration.acceptsAnyModel else {
            throw ErrorMapping.unknownModel(requested, served: configuration.servedModelNames)
        }
        return requested
    }

    /// Submits what an endpoint decoded: `choices` answers for each prompt.
    ///
    /// - Parameter requests: one for each prompt, with the id of the whole request.
    func start(
        _ requests: [TextRequest], choices: Int, _ engine: TextEngine, _ names: FieldNames
    ) async throws(RequestFailure) -> RunningAnswers {
        var all: [TextRequest] = []
        for (number, request) in requests.enumerated() {
            if choices == 1 {
                var request = request
                if requests.count > 1 { request.id += "-\(number)" }
                all.append(request)
                continue
            }
            // One prompt, rendered and encoded once.
            let tokens: [Int32]
            do {
                tokens = try await engine.promptTokens(request)
            } catch {
                throw ErrorMapping.failure(error, names)
            }
            for choice in 0..<choices {
                var copy = request
                copy.id += "-\(number * choices + choice)"
                copy.prompt = .tokens(tokens)
                copy.keptPromptTokens = nil
                copy.sampling = request.sampling.forChoice(choice)
                all.append(copy)
            }
        }
        return try await RunningAnswers.start(all, engine, inFlight, names)
    }
}
