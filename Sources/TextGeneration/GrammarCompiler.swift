import EngineInterface
package import Grammar
import OutputParsers
import Synchronization
import Tokenizers

/// Makes constraints ready for one model: off the engine's thread, bounded, and once for all requests that ask for the
/// same.
package final class GrammarCompiler: Sendable {
    private struct Key: Hashable, Sendable {
        var constraint: Constraint
        var reasoning: ReasoningPrefix?
        var style: ToolCallParser?
    }

    /// Reasoning that may, or must, come before the text that is constrained.
    enum ReasoningPrefix: Hashable, Sendable {
        /// Between two marks; `hasBegun`: the prompt has opened it.
        case marks(open: String, close: String, hasBegun: Bool)
        /// Messages of their own in gpt-oss' format, which then has one for the answer too.
        case harmony
    }

    /// Constrained requests so far.
    package struct Statistics: Equatable, Sendable {
        package var requests: Int
        /// Of those, the ones whose constraint was compiled already, or being compiled.
        package var known: Int
        /// That wait for a compilation now.
        package var waiting: Int
    }

    private let assets: ModelAssets
    private let vocabularySize: Int
    private let endOfSequenceIDs: [Int32]
    private let vocabulary = Mutex<TokenVocabulary?>(nil)
    private let cache: GrammarCache<Key>
    private let limits = GrammarLimits()
    private let forced: ForcedText
    /// Requests whose constraint is not ready yet.
    private let waiting = Mutex(0)

    /// - Parameter maximumBytes: of compiled grammars that are kept.
    init(_ assets: ModelAssets, _ information: EngineInformation, maximumBytes: Int = 256 << 20) {
        self.assets = assets
        vocabularySize = information.vocabularySize
        endOfSequenceIDs = information.endOfSequenceIDs.sorted()
        cache = GrammarCache(maximumBytes: maximumBytes)
        forced = ForcedText(assets.tokenizer)
    }

    /// Made at the first use, which may be ahead of the first request.
    @discardableResult
    package func tokenVocabulary() -> TokenVocabulary {
        vocabulary.withLock { vocabulary in
            if let vocabulary { return vocabulary }
            let tokenizer = assets.tokenizer
            let made = TokenVocabulary(
                size: vocabularySize, endTokens: endOfSequenceIDs, specialTokens: tokenizer.specialTokenIDs,
                tokenBytes: tokenizer.bytes(ofID:))
            vocabulary = made
            return made
        }
    }

    /// - Parameters:
    ///   - style: how the model writes calls; needed where they are constrained.
    ///   - reasoning: what may come before.
    ///   - observer: told how long it took, if it was not known yet.
    /// - Throws: `TextGenerationError.constraint` saying what is wrong with the constraint, or which bound it reached.
    func compile(
        _ constraint: Constraint, style: ToolCallParser?, reasoning: ReasoningPrefix?,
        observer: (any GenerationObserver)? = nil
    ) async throws(TextGenerationError) -> CompiledGrammar {
        let key = Key(constraint: constraint, reasoning: reasoning, style: style)
        waiting.withLock { $0 += 1 }
        defer { waiting.withLock { $0 -= 1 } }
        do {
            return try await cache.grammar(key) { [self] in
                let began = ContinuousClock.now
                var builder = GrammarBuilder(limits: limits)
                let forms = GrammarForms(constraint, style: style, tokenizer: assets.tokenizer)
                let root =
                    if let reasoning {
                        try forms.expression(after: reasoning, &builder)
                    } else {
                        try forms.expression(constraint.form, &builder)
                    }
                let grammar = try CompiledGrammar(
                    GrammarIR(builder: builder, root: root), vocabulary: tokenVocabulary())
                // Here and not on the engine's thread: the first masks are the expensive ones.
                grammar.warm(for: .milliseconds(2))
                observer?.compiledConstraint(seconds: began.seconds(to: .now))
                return grammar
            }
        } catch let error as ConstraintProblem {
            throw .constraint(path: error.path, message: error.reason)
        } catch {
            throw .constraint(path: constraint.path, message: "\(error)")
        }
    }

    package var statistics: Statistics {
        let cache = cache.statistics
        return Statistics(
            requests: Int(cache.hits + cache.misses), known: Int(cache.hits), waiting: waiting.withLock { $0 })
    }

    /// What the engine gets.
    func outputConstraint(_ grammar: CompiledGrammar, _ options: ConstraintOptions) -> OutputConstraint {
        OutputConstraint(
            grammar: grammar, tokenize: { [forced, vocabulary = tokenVocabulary()] in forced.ids($0, vocabulary) },
            jumpsForward: options.jumpsForward, closesInTime: options.closesInTime)
    }
}

/// How a constraint is followed; does not change the grammar.
package struct ConstraintOptions: Sendable, Equatable {
    /// Text that the grammar leaves no choice about is fed at once.
    package var jumpsForward = true
    /// Ends the text within the token limit where that is possible.
    package var closesInTime = false

    package init() {}
}

/// What is wrong with a part of a constraint.
struct ConstraintProblem: Error {
    var path: String
    var reason: String
}

/// Ids of texts that grammars force, remembered: the engine's thread asks, and there are few different ones.
final class ForcedText: Sendable {
    private let tokenizer: Tokenizer
    private let known = Mutex<[[UInt8]: [Int32]?]>([:])
    private static let limit = 8192

    init(_ tokenizer: Tokenizer) { self.tokenizer = tokenizer }

    /// The tokenizer's own ids for `text`, if put together they are just these bytes.
    func ids(_ text: [UInt8], _ vocabulary: TokenVocabulary) -> [Int32]? {
        if let found = known.withLock({ $0[text] }) { return found }
        let made = encode(text, vocabulary)
        known.withLock { known in
            if known.count >= Self.limit { known = [:] }
            known[text] = .some(made)
        }
        return made
    }

    /// Some tokenizers put a space before every text; behind other text they do not.
    private func encode(_ text: [UInt8], _ vocabulary: TokenVocabulary) -> [Int32]? {
        let whole = tokenizer.encode(
            String(decoding: text, as: UTF8.self), addSpecialTokens: false, parseSpecial: false)
        if spells(whole, text, vocabulary) { return whole }
        for anchor in ["\n", "\"", "0", "x"] {
            let before = tokenizer.encode(anchor, addSpecialTokens: false, parseSpecial: false)
            let both = tokenizer.encode(
                anchor + String(decoding: text, as: UTF8.self), addSpecialTokens: false, parseSpecial: false)
            guard both.starts(with: before) else { continue }
            let rest = Array(both.dropFirst(before.count))
            if spells(rest, text, vocabulary) { return rest }
        }
        return nil
    }

    private func spells(_ ids: [Int32], _ text: [UInt8], _ vocabulary: TokenVocabulary) -> Bool {
        ids.allSatisfy { !vocabulary.specialTokens.contains($0) }
            && ids.flatMap { vocabulary.bytes(of: $0) }.elementsEqual(text)
    }
}
