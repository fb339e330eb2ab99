/// What stands around the members of an object, between them, and within them.
struct ObjectFrame {
    let rule: SchemaGrammar.RuleKind
    let open: GrammarBuilder.Expression
    /// What ends an object without members.
    let closeEmpty: GrammarBuilder.Expression
    let close: GrammarBuilder.Expression
    let separator: GrammarBuilder.Expression
    let beforeName: GrammarBuilder.Expression
    /// Between a name and its value.
    let colon: GrammarBuilder.Expression
    let afterValue: GrammarBuilder.Expression
    /// Whether names stand there without quotes.
    let namesAreBare: Bool
    /// Members whose strings stand there without quotes.
    let texts: Set<String>

    /// An object in JSON.
    init(
        space: GrammarBuilder.Expression, separator: GrammarBuilder.Expression, colon: GrammarBuilder.Expression,
        _ builder: inout GrammarBuilder
    ) {
        rule = .objectState
        open = builder.sequence([builder.text("{"), space])
        closeEmpty = builder.text("}")
        close = builder.sequence([space, closeEmpty])
        self.separator = separator
        beforeName = GrammarBuilder.empty
        self.colon = colon
        afterValue = GrammarBuilder.empty
        namesAreBare = false
        texts = []
    }

    /// The outermost object in the notation of arguments.
    init(_ notation: ArgumentNotation, separator: GrammarBuilder.Expression, _ builder: inout GrammarBuilder) {
        rule = .argumentState
        open = GrammarBuilder.empty
        closeEmpty = GrammarBuilder.empty
        close = GrammarBuilder.empty
        namesAreBare = true
        switch notation {
        case .tagged(let tags):
            self.separator = GrammarBuilder.empty
            beforeName = builder.text(tags.beforeName)
            colon = builder.text(tags.afterName)
            afterValue = builder.text(tags.afterValue)
            texts = tags.texts
        case .python:
            self.separator = separator
            beforeName = GrammarBuilder.empty
            colon = builder.text("=")
            afterValue = GrammarBuilder.empty
            texts = []
        }
    }
}
