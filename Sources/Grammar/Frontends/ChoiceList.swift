extension GrammarBuilder {
    /// Exactly one of `texts`, as `guided_choice`: one leaf, however many there are.
    package mutating func choice(ofTexts texts: [String]) -> Expression { literals(texts.map { Array($0.utf8) }) }
}
