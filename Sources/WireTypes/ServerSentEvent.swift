/// Server-sent events (WHATWG HTML, section 9.2) as the OpenAI and SGLang APIs use them: only `data` fields.
package enum ServerSentEvent {
    /// `data: [DONE]`, the last event of every stream.
    package static let done = Array("data: [DONE]\n\n".utf8)

    /// A comment. Clients skip it; proxies see that the connection lives.
    package static let keepAlive = Array(": keep-alive\n\n".utf8)

    /// What comes before the JSON of an event.
    package static let opening = Array("data: ".utf8)

    /// What comes after it.
    package static let closing = Array("\n\n".utf8)

    /// One event. JSON as `JSONWriter` makes it holds no line breaks, so one `data` line carries it whole.
    package static func data(_ json: [UInt8]) -> [UInt8] {
        var event: [UInt8] = []
        event.reserveCapacity(json.count + 8)
        event += opening
        event += json
        event += closing
        return event
    }
}
