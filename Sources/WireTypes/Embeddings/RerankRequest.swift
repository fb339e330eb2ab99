/// The body of `POST /v1/rerank` in the form of Jina, Cohere, vLLM and SGLang: a query and documents.
package struct RerankRequest: Sendable, Equatable {
    package var model: String?
    package var query: String
    package var documents: [String]
    /// The best of them; nil: all.
    package var top: Int?
    package var returnsDocuments: Bool
    package var truncation: Int?

    /// - Throws: `FieldError` with the path of the first field that is missing, wrong or not implemented.
    package init(_ root: JSONValue) throws(FieldError) {
        let fields = try JSONFields(root: root)
        model = try fields.string("model")
        guard let query = try fields.string("query") else { throw FieldError("query", .missing) }
        self.query = query
        guard let list = try fields.array("documents") else { throw FieldError("documents", .missing) }
        guard !list.isEmpty else { throw FieldError("documents", .invalid("it is an empty array")) }
        guard list.count <= EmbeddingRequest.inputLimit else {
            throw FieldError("documents", .invalid("\(list.count); at most \(EmbeddingRequest.inputLimit)"))
        }
        documents = []
        for (index, element) in list.enumerated() {
            let path = "documents[\(index)]"
            if case .string(let text) = element {
                documents.append(text)
            } else {
                guard let text = try JSONFields(element, path: path).string("text") else {
                    throw FieldError(path + ".text", .missing)
                }
                documents.append(text)
            }
        }
        top = try fields.int("top_n")
        if let top, top < 1 { throw FieldError("top_n", .invalid("\(top); expected an integer ≥ 1")) }
        returnsDocuments = try fields.bool("return_documents") ?? true
        truncation = try EmbeddingRequest.truncation(fields)
    }
}
