/// The events of a streamed response, numbered, in the order in which OpenAI's server sends them.
package struct ResponseEvents: Sendable {
    private var number = 0
    private var outputIndex = 0

    package init() {}

    private mutating func event(_ type: String, _ fields: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("type", type)
            writer.field("sequence_number", number)
            fields(&writer)
        }
        number += 1
        return Array("event: \(type)\n".utf8) + ServerSentEvent.data(writer.bytes)
    }

    /// `created`, `in_progress`, `completed`, `incomplete` or `failed`.
    package mutating func response(_ name: String, _ object: ResponseObject) -> [UInt8] {
        event("response." + name) { writer in
            writer.name("response")
            object.write(to: &writer)
        }
    }

    /// The item that follows has begun: what it holds is still empty.
    package mutating func open(_ item: ResponseItem) -> [UInt8] {
        let added = event("response.output_item.added") { [outputIndex] writer in
            writer.field("output_index", outputIndex)
            writer.name("item")
            item.write(isDone: false, status: "in_progress", to: &writer)
        }
        return added + part("response.content_part.added", item, text: "")
    }

    package mutating func delta(_ piece: String, of item: ResponseItem) -> [UInt8] {
        let name =
            switch item {
            case .reasoning: "response.reasoning_text.delta"
            case .message: "response.output_text.delta"
            case .call: "response.function_call_arguments.delta"
            }
        return event(name) { [outputIndex] writer in
            Self.place(item, outputIndex, to: &writer)
            writer.field("delta", piece)
            if case .message = item { writer.arrayField("logprobs") { _ in } }
        }
    }

    /// - Parameter item: with all that it holds.
    package mutating func close(_ item: ResponseItem, isCut: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        switch item {
        case .reasoning(_, let text):
            bytes += event("response.reasoning_text.done") { [outputIndex] writer in
                Self.place(item, outputIndex, to: &writer)
                writer.field("text", text)
            }
            bytes += part("response.content_part.done", item, text: text)
        case .message(_, let text):
            bytes += event("response.output_text.done") { [outputIndex] writer in
                Self.place(item, outputIndex, to: &writer)
                writer.field("text", text)
                writer.arrayField("logprobs") { _ in }
            }
            bytes += part("response.content_part.done", item, text: text)
        case .call(_, _, let name, let arguments):
            bytes += event("response.function_call_arguments.done") { [outputIndex] writer in
                Self.place(item, outputIndex, to: &writer)
                writer.field("name", name)
                writer.field("arguments", arguments)
            }
        }
        bytes += event("response.output_item.done") { [outputIndex] writer in
            writer.field("output_index", outputIndex)
            writer.name("item")
            item.write(isDone: true, status: isCut ? "incomplete" : "completed", to: &writer)
        }
        outputIndex += 1
        return bytes
    }

    private mutating func part(_ name: String, _ item: ResponseItem, text: String) -> [UInt8] {
        if case .call = item { return [] }
        return event(name) { [outputIndex] writer in
            Self.place(item, outputIndex, to: &writer)
            writer.name("part")
            if case .reasoning = item {
                ResponseItem.reasoningPart(text, to: &writer)
            } else {
                ResponseItem.textPart(text, to: &writer)
            }
        }
    }

    private static func place(_ item: ResponseItem, _ outputIndex: Int, to writer: inout JSONWriter) {
        writer.field("item_id", item.id)
        writer.field("output_index", outputIndex)
        if case .call = item { return }
        writer.field("content_index", 0)
    }
}
