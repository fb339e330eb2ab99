/// Free text in which certain beginnings switch a grammar on: tool calls inside an answer. The forms are OpenAI's and
/// SGLang's `structural_tag` (structures and triggers) and XGrammar's `triggered_tags` and `tags_with_separator`.
package struct StructuralTags {
    /// `begin`, then `content`, then one of `ends`.
    package struct Tag {
        package var begin: String
        package var content: GrammarBuilder.Expression
        package var ends: [String]

        package init(begin: String, content: GrammarBuilder.Expression, ends: [String]) {
            self.begin = begin
            self.content = content
            self.ends = ends
        }

        func rest(after trigger: String, in builder: inout GrammarBuilder) -> GrammarBuilder.Expression {
            let begin = builder.bytes(Array(self.begin.utf8).dropFirst(trigger.utf8.count))
            let ending = builder.choice(ends.map { builder.text($0) })
            return builder.sequence([begin, content, ends.isEmpty ? GrammarBuilder.empty : ending])
        }
    }

    /// Free text and tags: as soon as the text contains one of `triggers`, it must go on as one of the tags whose
    /// beginning starts with that trigger; after the tag's end, the text is free again.
    ///
    /// - Parameters:
    ///   - atLeastOne: whether a text without any tag is refused.
    ///   - stopAfterFirst: whether the text must end with its first tag.
    ///   - excluded: texts that the free part must not contain.
    /// - Throws: `invalidStructuralTag` for a tag without trigger or a trigger without tag.
    package static func triggered(
        _ tags: [Tag], triggers: [String], atLeastOne: Bool = false, stopAfterFirst: Bool = false,
        excluded: [String] = [], in builder: inout GrammarBuilder
    ) throws(GrammarError) -> GrammarBuilder.Expression {
        if triggers.contains("") { throw .invalidStructuralTag(reason: "a trigger is empty") }
        if tags.isEmpty { throw .invalidStructuralTag(reason: "there are no tags") }
        for tag in tags where !triggers.contains(where: { startsWith(tag.begin, $0) }) {
            throw .invalidStructuralTag(reason: "the beginning \"\(tag.begin)\" starts with none of the triggers")
        }
        let any = RegularLanguage.texts(triggers)
        let forbidden = RegularLanguage.texts(excluded)
        let clean = excluded.isEmpty ? RegularLanguage.anyText : containing(forbidden).complement
        let early = RegularLanguage.concatenation([.anyText, any, .length(1)])
        var segments: [GrammarBuilder.Expression] = []
        for trigger in triggers {
            let matching = tags.filter { startsWith($0.begin, trigger) }
            if matching.isEmpty {
                throw .invalidStructuralTag(reason: "no tag begins with the trigger \"\(trigger)\"")
            }
            // The text up to the first end of a trigger: it ends with this one, and none ended before.
            let upTo = RegularLanguage.intersection([
                RegularLanguage.anyText.then(.text(trigger)), early.complement, clean,
            ])
            if try upTo.isEmpty(builder.limits) { continue }
            let tails = matching.map { $0.rest(after: trigger, in: &builder) }
            segments.append(builder.sequence([builder.regular(upTo), builder.choice(tails)]))
        }
        let segment = builder.choice(segments)
        let free = builder.regular(containing(any).complement.intersection(clean))
        if stopAfterFirst { return atLeastOne ? segment : builder.choice([segment, free]) }
        return builder.sequence([builder.repetition(segment, minimum: atLeastOne ? 1 : 0), free])
    }

    /// Tags only, `separator` between them.
    package static func separated(
        _ tags: [Tag], separator: String, atLeastOne: Bool = false, stopAfterFirst: Bool = false,
        in builder: inout GrammarBuilder
    ) -> GrammarBuilder.Expression {
        let one = builder.choice(tags.map { $0.rest(after: "", in: &builder) })
        var all = one
        if !stopAfterFirst {
            let another = builder.sequence([builder.text(separator), one])
            all = builder.sequence([one, builder.repetition(another)])
        }
        return atLeastOne ? all : builder.optional(all)
    }

    /// Any text that contains none of `excluded`.
    package static func freeText(
        excluding excluded: [String] = [], in builder: inout GrammarBuilder
    ) -> GrammarBuilder.Expression {
        excluded.isEmpty
            ? builder.regular(.anyText) : builder.regular(containing(RegularLanguage.texts(excluded)).complement)
    }

    /// Any text up to and including the first of `ends`.
    package static func freeText(
        upTo ends: [String], in builder: inout GrammarBuilder
    ) throws(GrammarError) -> GrammarBuilder.Expression {
        if ends.isEmpty || ends.contains("") { throw .invalidStructuralTag(reason: "an end is empty") }
        let any = RegularLanguage.texts(ends)
        let early = RegularLanguage.concatenation([.anyText, any, .length(1)])
        return builder.regular(RegularLanguage.anyText.then(any).subtracting(early))
    }

    private static func containing(_ language: RegularLanguage) -> RegularLanguage {
        .concatenation([.anyText, language, .anyText])
    }

    private static func startsWith(_ text: String, _ prefix: String) -> Bool { text.utf8.starts(with: prefix.utf8) }
}
