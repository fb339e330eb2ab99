import ChatTemplates
import EngineInterface
import Radish
import RadishClient
import TextGeneration

/// Messages so far, as the chat template sees them.
struct Conversation {
    private let system: String?
    private var turns: [(role: String, content: String)] = []

    init(system: String? = nil, user: String? = nil) {
        self.system = system
        if let user { turns.append(("user", user)) }
    }

    mutating func append(_ role: String, _ content: String) { turns.append((role, content)) }
    mutating func reset() { turns = [] }

    var messages: [(role: String, content: String)] { (system.map { [("system", $0)] } ?? []) + turns }

    var prompt: ChatPrompt {
        ChatPrompt(
            messages: messages.map { .object([("role", .string($0.role)), ("content", .string($0.content))]) })
    }
}

/// Somebody who answers turn after turn: the engine in this process, or a server.
protocol ConversationPartner {
    /// - Returns: one line about the turn (tokens, cached share).
    mutating func answer(_ text: String, show: (String) -> Void) async throws -> String
    mutating func reset()
}

struct LocalConversation: ConversationPartner {
    private let engine: LocalEngine
    private var conversation: Conversation
    private let sampling: SamplingOptions

    init(_ engine: LocalEngine, _ conversation: Conversation, _ sampling: SamplingOptions) {
        self.engine = engine
        self.conversation = conversation
        self.sampling = sampling
    }

    mutating func answer(_ text: String, show: (String) -> Void) async throws -> String {
        var next = conversation
        next.append("user", text)
        let request = TextRequest(
            id: "chat", prompt: .chat(next.prompt),
            sampling: sampling.parameters(engine.text.assets.defaultSampling), stop: sampling.stop)
        var reply = ""
        let finish = try await StandardStreams.forEachPiece(of: engine.text.generate(request)) { piece in
            reply += piece
            show(piece)
        }
        guard let finish else { return "aborted" }
        if case .failed(let error) = finish.reason { throw error }
        next.append("assistant", reply)
        conversation = next
        return TurnReport.line(
            prompt: finish.usage.promptTokens, cached: finish.usage.cachedTokens,
            completion: finish.usage.completionTokens)
    }

    mutating func reset() { conversation.reset() }
}

struct RemoteConversation: ConversationPartner {
    private let client: APIClient
    private let model: String
    private var conversation: Conversation

    init(url: String, apiKey: String?, model: String?, system: String?) throws {
        client = try APIClient(baseURL: url, apiKey: apiKey)
        self.model = model ?? "default"
        conversation = Conversation(system: system)
    }

    mutating func answer(_ text: String, show: (String) -> Void) async throws -> String {
        var next = conversation
        next.append("user", text)
        var reply = ""
        let usage = try await client.chat(model: model, messages: next.messages) { piece in
            reply += piece
            show(piece)
        }
        next.append("assistant", reply)
        conversation = next
        guard let usage else { return "" }
        return TurnReport.line(
            prompt: usage.promptTokens, cached: usage.cachedTokens, completion: usage.completionTokens)
    }

    mutating func reset() { conversation.reset() }
}

enum TurnReport {
    static func line(prompt: Int, cached: Int, completion: Int) -> String {
        "[\(prompt) prompt tokens, \(cached) from the cache, \(completion) generated]"
    }
}
