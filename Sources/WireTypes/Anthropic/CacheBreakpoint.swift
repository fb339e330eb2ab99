/// A `cache_control` of Anthropic's Messages: the prompt up to the block that has it is worth keeping.
package struct CacheBreakpoint: Sendable, Equatable {
    package enum Place: Sendable, Equatable {
        /// Behind all tools.
        case tools
        /// Behind a message of the chat completion that the body was brought into.
        case message(Int)
        /// Behind so many UTF-8 bytes of its text.
        case text(message: Int, bytes: Int)
    }

    package var place: Place
    /// Seconds: `ttl` is "5m" (the default) or "1h".
    package var timeToLive: Double

    /// Most of one request.
    static let limit = 4

    /// - Returns: nil if the object has no `cache_control`.
    init?(_ block: JSONFields, _ place: Place) throws(FieldError) {
        guard let control = try block.fields("cache_control") else { return nil }
        let type = try control.string("type")
        guard type == "ephemeral" else {
            throw FieldError(control.path("type"), type.map { .invalid("'\($0)'; expected \"ephemeral\"") } ?? .missing)
        }
        switch try control.string("ttl") {
        case "5m"?, nil: timeToLive = 300
        case "1h"?: timeToLive = 3600
        case let other?:
            throw FieldError(control.path("ttl"), .invalid("'\(other)'; expected \"5m\" or \"1h\""))
        }
        self.place = place
    }

    static func ofTools(_ fields: JSONFields) throws(FieldError) -> [CacheBreakpoint] {
        var found: [CacheBreakpoint] = []
        for (index, tool) in (try fields.array("tools") ?? []).enumerated() {
            if let wish = try CacheBreakpoint(JSONFields(tool, path: "tools[\(index)]"), .tools) { found.append(wish) }
        }
        return found
    }

    /// Of content blocks whose texts become the lines of one message. Results of tools become messages before it; what
    /// is kept up to one of them is kept up to the message.
    static func inBlocks(of content: JSONValue, path: String, message: Int) throws(FieldError) -> [CacheBreakpoint] {
        guard case .array(let blocks) = content else { return [] }
        var found: [CacheBreakpoint] = []
        // Between two texts there is a line feed.
        var bytes = -1
        for (index, block) in blocks.enumerated() {
            let block = try JSONFields(block, path: "\(path)[\(index)]")
            let text = try block.string("type") == "text" ? try block.string("text") : nil
            if let text { bytes += 1 + text.utf8.count }
            let isWithin = text != nil && index < blocks.count - 1
            let place = isWithin ? Place.text(message: message, bytes: bytes) : .message(message)
            if let wish = try CacheBreakpoint(block, place) { found.append(wish) }
        }
        return found
    }
}
