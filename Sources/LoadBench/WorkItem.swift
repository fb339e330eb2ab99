package import WireTypes

/// One request of a benchmark, or one conversation of several rounds.
package struct WorkItem: Sendable, Equatable {
    package enum Prompt: Sendable, Equatable {
        case text(String)
        case tokens([Int32])
        /// The `messages` of a chat request, as they go over the wire.
        case messages([JSONValue])
        /// What the user says in each round; the answers come from the server.
        case rounds([String])
    }

    package var prompt: Prompt
    /// As the dataset counts it; the server's own count stands beside it in the result.
    package var promptTokens: Int
    /// Tokens asked for, in each round.
    package var outputTokens: Int
    /// Seconds into a recorded trace.
    package var timestamp: Double?
    /// Members of the request body that only this request has.
    package var extraBody: JSONObject

    package init(
        prompt: Prompt, promptTokens: Int, outputTokens: Int, timestamp: Double? = nil,
        extraBody: JSONObject = JSONObject()
    ) {
        self.prompt = prompt
        self.promptTokens = promptTokens
        self.outputTokens = outputTokens
        self.timestamp = timestamp
        self.extraBody = extraBody
    }

    /// Requests this item makes.
    package var requestCount: Int {
        if case .rounds(let rounds) = prompt { rounds.count } else { 1 }
    }
}
