/// What the post-processor makes of two texts that a model reads together, such as a query and a document.
struct PairTemplate: Sendable {
    enum Piece: Sendable {
        case ids([Int32])
        case first
        case second
    }

    /// Each with the token type of its ids.
    let pieces: [(piece: Piece, type: Int32)]

    /// One text behind the other.
    static let plain = PairTemplate(pieces: [(.first, 0), (.second, 1)])

    init(pieces: [(piece: Piece, type: Int32)]) { self.pieces = pieces }

    /// Ids that are neither text.
    var addedCount: Int {
        pieces.reduce(0) { count, entry in
            if case .ids(let ids) = entry.piece { count + ids.count } else { count }
        }
    }

    func process(_ first: [Int32], _ second: [Int32]) -> (ids: [Int32], types: [Int32]) {
        var result: (ids: [Int32], types: [Int32]) = ([], [])
        for (piece, type) in pieces {
            let ids =
                switch piece {
                case .ids(let ids): ids
                case .first: first
                case .second: second
                }
            result.ids += ids
            result.types += repeatElement(type, count: ids.count)
        }
        return result
    }

    /// Reads the post-processor at `field`; nil if it has no rule for pairs.
    init?(_ field: JSONField) throws(TokenizerError) {
        switch try field.required("type").string() {
        case "Sequence":
            var found: PairTemplate?
            for element in try field.required("processors").elements() { found = try PairTemplate(element) ?? found }
            guard let found else { return nil }
            self = found
        case "BertProcessing":
            let (start, end) = (try Self.token(field, "cls"), try Self.token(field, "sep"))
            pieces = [(start, 0), (.first, 0), (end, 0), (.second, 1), (end, 1)]
        case "RobertaProcessing":
            let (start, end) = (try Self.token(field, "cls"), try Self.token(field, "sep"))
            pieces = [(start, 0), (.first, 0), (end, 0), (end, 0), (.second, 0), (end, 0)]
        case "TemplateProcessing":
            guard let template = try Self.template(field) else { return nil }
            pieces = template
        default: return nil
        }
    }

    private static func token(_ field: JSONField, _ key: String) throws(TokenizerError) -> Piece {
        .ids([try PostProcessor.pairID(field.required(key))])
    }

    private static func template(
        _ field: JSONField
    ) throws(TokenizerError) -> [(piece: Piece, type: Int32)]? {
        guard let elements = try field.optional("pair")?.elements() else { return nil }
        let special = try PostProcessor.specialTokens(field)
        var pieces: [(piece: Piece, type: Int32)] = []
        for element in elements {
            if let token = try element.optional("SpecialToken") {
                guard let ids = special[try token.required("id").string()] else { return nil }
                pieces.append((.ids(ids), try type(token)))
            } else {
                let sequence = try element.required("Sequence")
                pieces.append((try sequence.required("id").string() == "B" ? .second : .first, try type(sequence)))
            }
        }
        return pieces
    }

    private static func type(_ field: JSONField) throws(TokenizerError) -> Int32 {
        Int32(try field.optional("type_id")?.natural(limit: 1 << 16) ?? 0)
    }
}
