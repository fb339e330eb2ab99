/// The body of SGLang's `POST /v1/score`: how likely each of some tokens is to come next after query and item.
package struct ScoreRequest: Sendable, Equatable {
    package var model: String?
    package var query: WirePrompt
    package var items: [WirePrompt]
    package var labels: [Int32]
    /// The scores of an item sum to 1.
    package var appliesSoftmax: Bool
    /// Divides log-probabilities before the softmax.
    package var temperature: Double
    /// The item comes before the query.
    package var itemFirst: Bool

    package init(_ root: JSONValue) throws(FieldError) {
        let fields = try JSONFields(root: root)
        model = try fields.string("model")
        guard fields["text_1"] == nil, fields["text_2"] == nil else {
            throw FieldError(
                "text_1",
                .unsupported("Scoring two texts needs a reranker; send 'query', 'items' and 'label_token_ids'."))
        }
        guard let items = fields["items"] else { throw FieldError("items", .missing) }
        guard let labels = fields["label_token_ids"] else { throw FieldError("label_token_ids", .missing) }
        self.items = try WirePrompt.list(items, path: "items")
        guard self.items.count <= CompletionRequest.answerLimit else {
            throw FieldError("items", .invalid("\(self.items.count); at most \(CompletionRequest.answerLimit)"))
        }
        query = .text("")
        if let value = fields["query"] {
            guard let one = try WirePrompt.list(value, path: "query").first else {
                throw FieldError("query", .missing)
            }
            query = one
        }
        self.labels = try labels.tokenIDs(at: "label_token_ids")
        guard !self.labels.isEmpty else { throw FieldError("label_token_ids", .invalid("it is an empty array")) }
        appliesSoftmax = try fields.bool("apply_softmax") ?? false
        temperature = try fields.number("temperature") ?? 1
        guard temperature > 0, temperature.isFinite else {
            throw FieldError("temperature", .invalid("\(temperature); expected a number above 0"))
        }
        itemFirst = try fields.bool("item_first") ?? false
    }
}
