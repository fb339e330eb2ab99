import EngineInterface
import Grammar

/// Regular expressions that end a text where the first match of one is complete. The match is part of the text, as with
/// SGLang's `stop_regex`: so nothing has to be held back.
///
/// Each is an automaton over the bytes of the text, its states made as they are reached: time is linear in the text,
/// whatever the expression.
package struct StopPatterns: Sendable {
    private var searches: [(pattern: String, matcher: GrammarMatcher)] = []

    private static let countLimit = 16
    private static var limits: GrammarLimits {
        var limits = GrammarLimits()
        limits.maximumSourceBytes = 1024
        // Of a hostile pattern each may name many others.
        limits.maximumPatternNodes = 10_000
        limits.maximumPatternStates = 1000
        return limits
    }
    /// A scalar that stands for no character. Every text may still go on to it, so that a search that can find nothing
    /// any more, as of `^a` behind a `b`, refuses nothing either.
    private static let never: Unicode.Scalar = "\u{10FFFF}"
    /// Texts are matched, not tokens.
    private static let noTokens = TokenVocabulary(size: 1, endTokens: [], specialTokens: [], tokenBytes: { _ in nil })

    package init() {}

    /// - Throws: `TextGenerationError.field`, named `stop_regex`.
    package init(_ patterns: [String]) throws(TextGenerationError) {
        guard patterns.count <= Self.countLimit else {
            throw Self.error("\(patterns.count) entries; at most \(Self.countLimit) are allowed")
        }
        for pattern in patterns {
            do { searches.append((pattern, try Self.matcher(pattern))) } catch { throw Self.error("\(error)") }
        }
    }

    /// A matcher that may end where the text so far has a match, and never refuses a text.
    private static func matcher(_ pattern: String) throws(GrammarError) -> GrammarMatcher {
        var builder = GrammarBuilder(limits: limits)
        let matches = try RegularLanguage(pattern: pattern, anchoring: .search, limits: limits)
        let root = builder.regular(matches.union(.anyText.then(.text(String(never)))))
        return try CompiledGrammar(GrammarIR(builder: builder, root: root), vocabulary: noTokens).makeMatcher()
    }

    private static func error(_ reason: String) -> TextGenerationError {
        .field(name: "stop_regex", message: "Invalid value for 'stop_regex': \(reason).")
    }

    /// Takes the next piece of text.
    /// - Returns: the piece up to where the text ends, and why it ends there; nil: it goes on.
    mutating func take(_ piece: String) -> (text: String, ending: TextFinish.Reason?) {
        guard !searches.isEmpty else { return (piece, nil) }
        var text = String.UnicodeScalarView()
        for scalar in piece.unicodeScalars {
            text.append(scalar)
            if scalar == Self.never { continue }
            for index in searches.indices {
                guard searches[index].matcher.accept(bytes: String(scalar).utf8) else {
                    return (String(text), .failed(Self.tooLarge(searches[index].pattern)))
                }
                if searches[index].matcher.canEnd { return (String(text), .stopString(searches[index].pattern)) }
            }
        }
        return (piece, nil)
    }

    /// A search refuses nothing until its states are too many.
    private static func tooLarge(_ pattern: String) -> RequestError {
        .invalidParameter(
            field: "stop_regex", found: "'\(pattern)', which takes too many states for this text",
            expected: "a simpler expression")
    }
}
