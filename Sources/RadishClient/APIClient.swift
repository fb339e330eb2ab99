import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// Talks to any OpenAI-compatible server.
package struct APIClient: Sendable {
    private let base: String
    private let apiKey: String?

    /// - Parameter baseURL: with or without a trailing `/v1`.
    package init(baseURL: String, apiKey: String? = nil) throws(APIClientError) {
        guard baseURL.hasPrefix("http://") || baseURL.hasPrefix("https://") else { throw .badURL(baseURL) }
        var base = baseURL
        while base.hasSuffix("/") { base.removeLast() }
        if base.hasSuffix("/v1") { base.removeLast(3) }
        self.base = base
        self.apiKey = apiKey
    }

    package struct Usage: Sendable, Equatable {
        package var promptTokens: Int
        package var cachedTokens: Int
        package var completionTokens: Int
    }

    /// Streams one chat completion.
    ///
    /// - Parameter show: called with each piece of the answer.
    /// - Returns: the server's token counts, if it sends them.
    package func chat(
        model: String, messages: [(role: String, content: String)], show: (String) -> Void
    ) async throws -> Usage? {
        let body = ChatBody(
            model: model, messages: messages.map { .init(role: $0.role, content: $0.content) }, stream: true,
            stream_options: .init(include_usage: true))
        var request = HTTPClientRequest(url: base + "/v1/chat/completions")
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        if let apiKey { request.headers.add(name: "authorization", value: "Bearer \(apiKey)") }
        request.body = .bytes(ByteBuffer(bytes: try JSONEncoder().encode(body)))
        // An answer may take minutes; only the wait for the next byte is bounded, by the server's keep-alives.
        let response: HTTPClientResponse
        do {
            response = try await HTTPClient.shared.execute(request, timeout: .hours(1))
        } catch {
            throw APIClientError.unreachable(url: request.url, reason: "\(error)")
        }
        guard response.status == .ok else {
            let text = String(buffer: try await response.body.collect(upTo: 1 << 20))
            throw APIClientError.refused(status: Int(response.status.code), message: Self.message(in: text))
        }
        var reader = EventReader()
        var usage: Usage?
        for try await buffer in response.body {
            for event in reader.append(buffer) {
                if event.elementsEqual("[DONE]".utf8) { return usage }
                let chunk = try JSONDecoder().decode(ChatChunk.self, from: Data(event))
                if let error = chunk.error { throw APIClientError.refused(status: 200, message: error.message) }
                if let text = chunk.choices?.first?.delta.content { show(text) }
                if let found = chunk.usage {
                    usage = Usage(
                        promptTokens: found.prompt_tokens,
                        cachedTokens: found.prompt_tokens_details?.cached_tokens ?? 0,
                        completionTokens: found.completion_tokens)
                }
            }
        }
        return usage
    }

    private static func message(in body: String) -> String {
        (try? JSONDecoder().decode(ChatChunk.self, from: Data(body.utf8)))?.error?.message ?? body
    }
}

package enum APIClientError: Error, Equatable, Sendable {
    case badURL(String)
    /// Nobody answers there.
    case unreachable(url: String, reason: String)
    /// The server's own words.
    case refused(status: Int, message: String)
}

// Names as on the wire (OpenAI API reference, chat completions).
private struct ChatBody: Encodable {
    struct Message: Encodable {
        var role: String
        var content: String
    }
    struct StreamOptions: Encodable { var include_usage: Bool }
    var model: String
    var messages: [Message]
    var stream: Bool
    var stream_options: StreamOptions
}

private struct ChatChunk: Decodable {
    struct Choice: Decodable {
        struct Delta: Decodable { var content: String? }
        var delta: Delta
    }
    struct Usage: Decodable {
        struct Details: Decodable { var cached_tokens: Int? }
        var prompt_tokens: Int
        var completion_tokens: Int
        var prompt_tokens_details: Details?
    }
    struct ErrorBody: Decodable { var message: String }
    var choices: [Choice]?
    var usage: Usage?
    var error: ErrorBody?
}
