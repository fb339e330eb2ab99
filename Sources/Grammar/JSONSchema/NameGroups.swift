/// A repeated name counts once for `minProperties`, and the last of its values is the one that counts. No automaton
/// remembers free names, so where it matters that a free name is new (it fills up a minimum, or its value is the one
/// that a demand asks for), names are told apart by their last character, or by their first: each group of names is
/// then used once. What is written is valid; some valid combinations are not written.
extension SchemaSolver {
    private static let characters: [CodePointSet] = {
        let letters = (0..<26 as Range<UInt32>).map { CodePointSet([0x61 + $0, 0x41 + $0]) }
        let digits = CodePointSet(0x30, 0x39)
        let known = letters.reduce(digits) { $0.union($1) }
        return letters + [digits, known.inverted]
    }()

    /// The groups of the names of a class; at least one.
    func groups(of other: ObjectPlan.NameClass, index: Int, in plan: ObjectPlan) throws(JSONSchemaError)
        -> [RegularLanguage]
    {
        if let known = plan.groups[index] { return known }
        var best: [RegularLanguage] = []
        for isLast in [true, false] {
            var groups: [RegularLanguage] = []
            for set in Self.characters {
                let character = RegularLanguage.set(set)
                let shape = isLast ? RegularLanguage.anyText.then(character) : character.then(.anyText)
                let group = other.language.intersection(shape)
                if try !wrap({ () throws(GrammarError) in try group.isEmpty(limits) }) { groups.append(group) }
            }
            if groups.count > best.count { best = groups }
        }
        plan.groups[index] = best
        return best
    }

    /// A number for a group, for sets of used ones.
    static func groupID(ofClass index: Int, group: Int) -> Int32 { Int32(index * 64 + group) }
}
