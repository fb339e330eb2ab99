/// The body of `POST /v1/score` for rerankers and embedding models: vLLM's `text_1` and `text_2` (or `queries` and
/// `documents`), or SGLang's `query` and `items`. One text is paired with each of several; two lists, one by one.
package struct PairScoreRequest: Sendable, Equatable {
    package var model: String?
    package var pairs: [Pair]
    package var truncation: Int?

    package struct Pair: Sendable, Equatable {
        package var first: String
        package var second: String

        package init(first: String, second: String) {
            self.first = first
            self.second = second
        }
    }

    /// - Throws: `FieldError` with the path of the first field that is missing or wrong.
    package init(_ root: JSONValue) throws(FieldError) {
        let fields = try JSONFields(root: root)
        model = try fields.string("model")
        let spellings = [("text_1", "text_2"), ("queries", "documents"), ("data_1", "data_2"), ("query", "items")]
        let (one, two) = spellings.first { fields[$0.0] != nil } ?? spellings[0]
        let first = try Self.texts(fields, one)
        let second = try Self.texts(fields, two)
        guard first.count == 1 || first.count == second.count else {
            throw FieldError(
                two,
                .invalid("\(second.count) texts for \(first.count) in '\(one)'; expected as many, or one in '\(one)'"))
        }
        pairs = second.indices.map { Pair(first: first[first.count == 1 ? 0 : $0], second: second[$0]) }
        truncation = try EmbeddingRequest.truncation(fields)
    }

    private static func texts(_ fields: JSONFields, _ name: String) throws(FieldError) -> [String] {
        guard let value = fields[name] else { throw FieldError(name, .missing) }
        guard case .array(let elements) = value else { return [try value.string(at: name)] }
        guard !elements.isEmpty else { throw FieldError(name, .invalid("it is an empty array")) }
        guard elements.count <= EmbeddingRequest.inputLimit else {
            throw FieldError(name, .invalid("\(elements.count) texts; at most \(EmbeddingRequest.inputLimit)"))
        }
        var texts: [String] = []
        for (index, element) in elements.enumerated() { texts.append(try element.string(at: "\(name)[\(index)]")) }
        return texts
    }
}
