/// How models that do not write the arguments of a call as JSON write them: the outermost object of a schema in a
/// notation of its own.
package enum ArgumentNotation: Hashable, Sendable {
    /// Each member between tags.
    case tagged(ArgumentTags)
    /// Python's keyword arguments, without the parentheses, and Python's literals as values.
    case python
}

/// Tags around the members of a call's arguments. A value is JSON, but that of a text parameter stands there as it is.
package struct ArgumentTags: Hashable, Sendable {
    package var beforeName: String
    package var afterName: String
    package var afterValue: String
    /// What a reader takes for the end of a value: no value may contain it.
    package var end: String
    /// Parameters whose schema is a string.
    package var texts: Set<String>

    package init(beforeName: String, afterName: String, afterValue: String, end: String, texts: Set<String>) {
        self.beforeName = beforeName
        self.afterName = afterName
        self.afterValue = afterValue
        self.end = end
        self.texts = texts
    }
}

extension ArgumentNotation {
    /// Names that can be written.
    var names: RegularLanguage {
        switch self {
        case .tagged:
            // Angle brackets and line ends belong to the tags, space at the ends to nobody.
            let inner = CodePointSet([0x09, 0x0A, 0x0D, 0x3C, 0x3E] as [UInt32]).inverted
            let outer = RegularLanguage.set(inner.subtracting(CodePointSet(0x20, 0x20)))
            return outer.then(RegularLanguage.set(inner).repeated().then(outer).repeated(0, 1))
        case .python:
            let letter = CodePointSet(0x41, 0x5A).union(CodePointSet(0x61, 0x7A)).union(CodePointSet(0x5F, 0x5F))
            return .set(letter).then(RegularLanguage.set(letter.union(CodePointSet(0x30, 0x39))).repeated())
        }
    }

    /// Strings that can be written as values; nil for all.
    var strings: RegularLanguage? {
        guard case .tagged(let tags) = self else { return nil }
        return RegularLanguage.concatenation([.anyText, .text(tags.end), .anyText]).complement
    }
}

extension SchemaReader {
    /// `formula`, for the outermost value, together with what its notation can express.
    func expressible(_ formula: Formula) -> Formula {
        guard let notation = options.arguments else { return formula }
        let named = store.condition(.language(language(notation.names)))
        var parts = [
            formula, store.types(.object), store.condition(.members(.violating(named), FormulaStore.never)),
        ]
        if case .tagged(let tags) = notation, let strings = notation.strings {
            let written = store.condition(.language(language(strings)))
            for name in tags.texts.sorted() {
                parts.append(store.condition(.member(store.name(Array(name.utf8)), written)))
            }
        }
        return store.all(parts)
    }
}
