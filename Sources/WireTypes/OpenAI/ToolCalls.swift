/// A call of a function in an answer, or a piece of one in a stream.
package struct WireToolCall: Sendable, Equatable {
    package var index: Int
    /// Nil in later pieces.
    package var id: String?
    /// Nil in later pieces.
    package var name: String?
    /// JSON as text.
    package var arguments: String

    package init(index: Int, id: String?, name: String?, arguments: String) {
        self.index = index
        self.id = id
        self.name = name
        self.arguments = arguments
    }

    /// - Parameter isDelta: with the index that joins the pieces; those after the first have nothing else but arguments.
    func write(isDelta: Bool, to writer: inout JSONWriter) {
        writer.object { writer in
            if isDelta { writer.field("index", index) }
            if let id {
                writer.field("id", id)
                writer.field("type", "function")
            }
            writer.objectField("function") { writer in
                if let name { writer.field("name", name) }
                writer.field("arguments", arguments)
            }
        }
    }

    /// SGLang's name is always there, as its clients read it; vLLM's where there is something to say.
    static func writeReasoning(_ text: String, to writer: inout JSONWriter) {
        if text.isEmpty {
            writer.nullField("reasoning_content")
        } else {
            writer.field("reasoning_content", text)
            writer.field("reasoning", text)
        }
    }
}
