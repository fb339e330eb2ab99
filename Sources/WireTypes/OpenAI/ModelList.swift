/// A model as `GET /v1/models` lists it; `max_model_len` is vLLM's extension, which many clients read.
package struct ModelCard: Sendable {
    package var id: String
    /// Seconds since 1970.
    package var created: Int
    /// Path or name the model was loaded from.
    package var root: String
    package var contextLength: Int

    package init(id: String, created: Int, root: String, contextLength: Int) {
        self.id = id
        self.created = created
        self.root = root
        self.contextLength = contextLength
    }

    package func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("id", id)
            writer.field("object", "model")
            writer.field("created", created)
            writer.field("owned_by", "radish")
            writer.field("root", root)
            writer.nullField("parent")
            writer.field("max_model_len", contextLength)
        }
    }

    /// The body of `GET /v1/models`.
    package static func list(_ cards: [ModelCard]) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("object", "list")
            writer.arrayField("data") { writer in for card in cards { card.write(to: &writer) } }
        }
        return writer.bytes
    }

    /// The body of `GET /v1/models/{id}`.
    package var json: [UInt8] {
        var writer = JSONWriter()
        write(to: &writer)
        return writer.bytes
    }
}
