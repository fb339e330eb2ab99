import ChatTemplates
import EngineInterface
import TextGeneration

extension LocalEngine {
    /// How to choose tokens; what is nil is left to the model's own defaults.
    public struct Options: Sendable, Hashable {
        /// 0 takes the most likely token each time.
        public var temperature: Float?
        /// Keep the most likely tokens up to this mass.
        public var topP: Float?
        /// Most tokens to generate; nil: until the context is full.
        public var maxTokens: Int?
        /// Same seed, same text.
        public var seed: UInt64?
        /// Texts that end the answer.
        public var stop: [String] = []

        /// The model's own defaults.
        public init() {}
    }

    /// Answers one message of a user.
    ///
    /// - Parameters:
    ///   - message: the user's text.
    ///   - system: instructions or a document to answer from; shared prefixes are computed once.
    /// - Returns: pieces of the answer as they become certain; throws `LocalEngineError` or the request's error.
    public func respond(
        to message: String, system: String? = nil, options: Options = Options()
    ) -> AsyncThrowingStream<String, any Error> {
        var messages: [JinjaValue] = []
        if let system { messages.append(.object([("role", .string("system")), ("content", .string(system))])) }
        messages.append(.object([("role", .string("user")), ("content", .string(message))]))
        return pieces(.chat(ChatPrompt(messages: messages)), options)
    }

    /// Continues a text.
    public func complete(
        _ text: String, options: Options = Options()
    ) -> AsyncThrowingStream<String, any Error> {
        pieces(.text(text), options)
    }

    private func pieces(_ prompt: TextRequest.Prompt, _ options: Options) -> AsyncThrowingStream<String, any Error> {
        var sampling = text.assets.defaultSampling
        if let temperature = options.temperature { sampling.temperature = temperature }
        if let topP = options.topP { sampling.topP = topP }
        sampling.maxTokens = options.maxTokens
        sampling.seed = options.seed
        let request = TextRequest(
            id: "local-\(UInt64.random(in: .min ... .max))", prompt: prompt, sampling: sampling, stop: options.stop)
        let (stream, continuation) = AsyncThrowingStream.makeStream(of: String.self)
        let task = Task { [text] in
            do {
                for await event in try await text.generate(request) {
                    switch event {
                    case .started: break
                    case .delta(let delta): if !delta.text.isEmpty { continuation.yield(delta.text) }
                    case .finished(let finish):
                        if case .failed(let error) = finish.reason { throw LocalEngineError.failed("\(error)") }
                    }
                }
                continuation.finish()
            } catch {
                continuation.finish(throwing: error)
            }
        }
        continuation.onTermination = { _ in task.cancel() }
        return stream
    }
}

/// Why an answer broke off.
public enum LocalEngineError: Error, Sendable {
    /// The engine's own words.
    case failed(String)
}
