package import Grammar

/// What an output must look like: a grammar over the model's own vocabulary, made ready before the request is handed
/// over, so that the engine's thread only follows it.
package struct OutputConstraint: Sendable {
    package let grammar: CompiledGrammar
    /// Ids for text that the grammar leaves no choice about, so that it is fed at once instead of being decoded token by
    /// token. Quick: called on the engine's thread. Nil if there are none for these bytes.
    package let tokenize: @Sendable ([UInt8]) -> [Int32]?
    /// Whether forced text is fed at once.
    package let jumpsForward: Bool
    /// Ends the text within `maxTokens` where that is possible, instead of cutting it off: of all ways to go on only
    /// those stay open from which the text can still be ended.
    package let closesInTime: Bool

    package init(
        grammar: CompiledGrammar, tokenize: @escaping @Sendable ([UInt8]) -> [Int32]?, jumpsForward: Bool = true,
        closesInTime: Bool = false
    ) {
        self.jumpsForward = jumpsForward
        self.grammar = grammar
        self.tokenize = tokenize
        self.closesInTime = closesInTime
    }
}
