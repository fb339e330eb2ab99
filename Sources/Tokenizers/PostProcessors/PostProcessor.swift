/// What the post-processor of `tokenizer.json` adds around the ids of one text: all the supported kinds come down to
/// this. For two texts see `PairTemplate`.
struct PostProcessor: Sendable {
    enum Item: Sendable {
        case ids([Int32])
        case text
    }

    /// Each step takes the ids of the step before for its text.
    let steps: [[Item]]

    static let none = PostProcessor(steps: [])

    func process(_ ids: [Int32]) -> [Int32] {
        var ids = ids
        for step in steps {
            var result: [Int32] = []
            result.reserveCapacity(ids.count + 4)
            for item in step {
                switch item {
                case .ids(let special): result += special
                case .text: result += ids
                }
            }
            ids = result
        }
        return ids
    }

    /// Ids that are not the text's.
    var addedCount: Int {
        steps.joined().reduce(0) { count, item in
            if case .ids(let ids) = item { count + ids.count } else { count }
        }
    }

    init(steps: [[Item]]) {
        self.steps = steps
    }

    /// Reads the post-processor at `field`.
    init(_ field: JSONField) throws(TokenizerError) {
        var steps: [[Item]] = []
        try Self.read(field, into: &steps)
        self.steps = steps
    }

    private static func read(_ field: JSONField, into steps: inout [[Item]]) throws(TokenizerError) {
        let type = try field.required("type").string()
        switch type {
        case "Sequence":
            for element in try field.required("processors").elements() { try read(element, into: &steps) }
        case "ByteLevel":
            // Trims offsets only.
            break
        case "TemplateProcessing":
            steps.append(try template(field))
        case "BertProcessing", "RobertaProcessing":
            steps.append([
                .ids([try pairID(field.required("cls"))]), .text, .ids([try pairID(field.required("sep"))]),
            ])
        default: throw TokenizerError.unsupportedComponent(path: field.path, type: type)
        }
    }

    /// The id of `["[CLS]", 101]`.
    static func pairID(_ field: JSONField) throws(TokenizerError) -> Int32 {
        let elements = try field.elements()
        guard elements.count == 2 else {
            throw TokenizerError.wrongType(path: field.path, expected: "a token and its id", found: "something else")
        }
        return Int32(try elements[1].natural(limit: Vocabulary.idLimit))
    }

    /// The ids of a template's special tokens, by their names in it.
    static func specialTokens(_ field: JSONField) throws(TokenizerError) -> [String: [Int32]] {
        var special: [String: [Int32]] = [:]
        if let tokens = try field.optional("special_tokens") {
            for (key, token) in try tokens.members() {
                var ids: [Int32] = []
                for id in try token.required("ids").elements() {
                    ids.append(Int32(try id.natural(limit: Vocabulary.idLimit)))
                }
                special[key] = ids
            }
        }
        return special
    }

    private static func template(_ field: JSONField) throws(TokenizerError) -> [Item] {
        let special = try specialTokens(field)
        var items: [Item] = []
        for element in try field.required("single").elements() {
            if let token = try element.optional("SpecialToken") {
                let name = try token.required("id")
                guard let ids = special[try name.string()] else {
                    throw TokenizerError.invalidValue(
                        path: name.path, value: "\"\(try name.string())\"", reason: "not among special_tokens")
                }
                items.append(.ids(ids))
            } else {
                let sequence = try element.required("Sequence").required("id")
                guard try sequence.string() == "A" else {
                    throw TokenizerError.invalidValue(
                        path: sequence.path, value: "\"\(try sequence.string())\"", reason: "one text has only A")
                }
                items.append(.text)
            }
        }
        return items
    }
}
