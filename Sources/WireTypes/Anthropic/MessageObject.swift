/// The whole answer of Anthropic's `POST /v1/messages`.
package struct MessageObject: Sendable {
    package var id: String
    package var model: String
    /// In the order in which it was said.
    package var content: [Content]
    package var finish: FinishedBy
    package var usage: Usage

    package enum Content: Sendable, Equatable {
        case thinking(String)
        case text(String)
        case toolUse(WireToolCall)
    }

    package init(id: String, model: String, content: [Content], finish: FinishedBy, usage: Usage) {
        self.id = id
        self.model = model
        self.content = content.isEmpty ? [.text("")] : content
        self.finish = finish
        self.usage = usage
    }

    package var json: [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            Self.head(id: id, model: model, to: &writer)
            writer.arrayField("content") { writer in for block in content { Self.write(block, to: &writer) } }
            Self.stop(finish, to: &writer)
            writer.objectField("usage") { Self.write(usage, to: &$0) }
        }
        return writer.bytes
    }

    private static func write(_ block: Content, to writer: inout JSONWriter) {
        writer.object { writer in
            switch block {
            case .thinking(let text):
                writer.field("type", "thinking")
                writer.field("thinking", text)
                writer.field("signature", "")
            case .text(let text):
                writer.field("type", "text")
                writer.field("text", text)
                writer.nullField("citations")
            case .toolUse(let call):
                writer.field("type", "tool_use")
                writer.field("id", call.id ?? "")
                writer.field("name", call.name ?? "")
                writer.name("input")
                // Arguments that are no JSON, as a cut answer has them, are shown rather than lost.
                if let parsed = try? JSONParser.parse(Array(call.arguments.utf8)), case .object = parsed {
                    writer.value(parsed)
                } else {
                    writer.object { if !call.arguments.isEmpty { $0.field("arguments", call.arguments) } }
                }
            }
        }
    }

    static func head(id: String, model: String, to writer: inout JSONWriter) {
        writer.field("id", id)
        writer.field("type", "message")
        writer.field("role", "assistant")
        writer.field("model", model)
    }

    static func stop(_ finish: FinishedBy, to writer: inout JSONWriter) {
        switch finish {
        case .stopString(let text):
            writer.field("stop_reason", "stop_sequence")
            writer.field("stop_sequence", text)
        default:
            let reason =
                switch finish.name {
                case "length": "max_tokens"
                case "tool_calls": "tool_use"
                default: "end_turn"
                }
            writer.field("stop_reason", reason)
            writer.nullField("stop_sequence")
        }
    }

    /// Anthropic counts cached tokens apart from the others.
    static func write(_ usage: Usage, to writer: inout JSONWriter) {
        let cached = min(usage.cachedTokens, usage.promptTokens)
        writer.field("input_tokens", usage.promptTokens - cached)
        writer.field("cache_creation_input_tokens", 0)
        writer.field("cache_read_input_tokens", cached)
        writer.field("output_tokens", usage.completionTokens)
    }
}

/// The events of a streamed answer, each with its name in the `event` field and in the data.
package struct MessageEvents: Sendable {
    package enum Block: Sendable, Equatable {
        case thinking
        case text
        case toolUse(id: String, name: String)
    }

    private let id: String
    private let model: String
    /// Of the block that is open or will be next.
    private var index = 0

    package init(id: String, model: String) {
        self.id = id
        self.model = model
    }

    package static let ping = event("ping") { _ in }

    private static func event(_ type: String, _ fields: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("type", type)
            fields(&writer)
        }
        return Array("event: \(type)\n".utf8) + ServerSentEvent.data(writer.bytes)
    }

    package func start(_ usage: Usage) -> [UInt8] {
        Self.event("message_start") { writer in
            writer.objectField("message") { writer in
                MessageObject.head(id: id, model: model, to: &writer)
                writer.arrayField("content") { _ in }
                writer.nullField("stop_reason")
                writer.nullField("stop_sequence")
                writer.objectField("usage") { MessageObject.write(usage, to: &$0) }
            }
        }
    }

    package func open(_ block: Block) -> [UInt8] {
        Self.event("content_block_start") { writer in
            writer.field("index", index)
            writer.objectField("content_block") { writer in
                switch block {
                case .thinking:
                    writer.field("type", "thinking")
                    writer.field("thinking", "")
                    writer.field("signature", "")
                case .text:
                    writer.field("type", "text")
                    writer.field("text", "")
                case .toolUse(let id, let name):
                    writer.field("type", "tool_use")
                    writer.field("id", id)
                    writer.field("name", name)
                    writer.objectField("input") { _ in }
                }
            }
        }
    }

    package func delta(_ piece: String, of block: Block) -> [UInt8] {
        let (type, field) =
            switch block {
            case .thinking: ("thinking_delta", "thinking")
            case .text: ("text_delta", "text")
            case .toolUse: ("input_json_delta", "partial_json")
            }
        return Self.event("content_block_delta") { writer in
            writer.field("index", index)
            writer.objectField("delta") { writer in
                writer.field("type", type)
                writer.field(field, piece)
            }
        }
    }

    package mutating func close() -> [UInt8] {
        defer { index += 1 }
        return Self.event("content_block_stop") { $0.field("index", index) }
    }

    package func end(_ finish: FinishedBy, _ usage: Usage) -> [UInt8] {
        Self.event("message_delta") { writer in
            writer.objectField("delta") { MessageObject.stop(finish, to: &$0) }
            writer.objectField("usage") { MessageObject.write(usage, to: &$0) }
        } + Self.event("message_stop") { _ in }
    }

    /// An error after the stream has begun.
    package static func failure(_ body: ErrorBody) -> [UInt8] {
        event("error") { writer in
            writer.objectField("error") { writer in
                writer.field("type", body.type)
                writer.field("message", body.message)
            }
        }
    }
}
