extension Tokenizer {
    /// The kind of its model as `tokenizer.json` calls it, for people.
    package var algorithm: String {
        switch model {
        case let model as BPE: model.vocabulary.isByteLevel ? "byte-level BPE" : "BPE"
        case is WordPiece: "WordPiece"
        case is Unigram: "Unigram"
        default: "another kind"
        }
    }
}
