package import EngineInterface
package import Tokenizers

/// A cache report in the words of the prompt: where it leaves what is cached, both texts side by side, and what that
/// looks like.
package struct CacheExplanation: Sendable, Equatable {
    package struct Difference: Sendable, Equatable {
        /// Index of the first token that differs.
        package var tokenIndex: Int
        package var place: PromptMap.Place
        /// The texts that differ, widened to whole words.
        package var promptText: String
        package var cachedText: String
        /// What stands before and behind them in the prompt; the beginning and the end of it.
        package var before: String
        package var after: String
        package var promptTokens: Int
        package var cachedTokens: Int
        /// Tokens behind the difference that are cached too, behind the other text.
        package var sameAgainTokens: Int
        package var likeness: Likeness?
    }

    /// What differs from request to request without meaning to.
    package enum Likeness: String, Sendable {
        case time, identifier, number
    }

    package let report: CacheReport
    package let difference: Difference?

    /// - Parameter tokens: the prompt the report is about.
    package init(
        _ report: CacheReport, tokens: [Int32], prompt: TextRequest.Prompt, tokenizer: Tokenizer
    ) {
        self.report = report
        guard let divergence = report.divergence, divergence.position < tokens.count else {
            difference = nil
            return
        }
        let position = divergence.position
        let end = min(tokens.count, position + min(divergence.differingPromptTokens, Self.shownTokens))
        let cachedEnd = min(divergence.cached.count, divergence.differingCachedTokens)
        func text(_ ids: some Sequence<Int32>) -> String { tokenizer.decode(Array(ids), skipSpecialTokens: false) }
        // With its neighbours, so that a character cut by the difference is whole.
        let before = text(tokens[max(0, position - Self.context)..<position])
        let after = text(tokens[end..<min(tokens.count, end + Self.context)])
        let head = Self.lastWord(before)
        let rejoins = divergence.sameAgainTokens > 0
        let tail = rejoins ? Self.firstWord(after) : ""
        let promptText = head + text(tokens[position..<end]) + tail
        let cachedText = head + text(divergence.cached[..<cachedEnd]) + tail
        difference = Difference(
            tokenIndex: position,
            place: PromptMap(tokens, of: prompt, tokenizer: tokenizer).place(ofToken: position),
            promptText: promptText, cachedText: cachedText, before: String(before.dropLast(head.count)),
            after: String(after.dropFirst(tail.count)), promptTokens: divergence.differingPromptTokens,
            cachedTokens: divergence.differingCachedTokens, sameAgainTokens: divergence.sameAgainTokens,
            likeness: Likeness(promptText, cachedText))
    }

    /// Tokens shown of a text that differs, and around it.
    private static let shownTokens = 48
    private static let context = 24

    /// One sentence for a log, and the advice that follows.
    package var summary: String {
        var text = "\(report.cachedTokens) of \(report.promptTokens) prompt tokens came from the cache."
        if report.awaitedTokens > 0 {
            text += " For \(report.awaitedTokens) of them it waited until another request had computed them."
        }
        for missed in report.missed where missed.reason == .evicted {
            let ago = report.evictedSecondsAgo.map { " \(Self.rounded($0)) s ago" } ?? ""
            text += " \(missed.tokens) tokens were evicted\(ago)."
        }
        for missed in report.missed where missed.reason == .saltDiffers {
            text += " \(missed.tokens) tokens are cached under another cache_salt."
        }
        guard let difference, difference.sameAgainTokens > 0 else { return text }
        text += """
             At token \(difference.tokenIndex), in \(difference.place.path), the prompt has \
            '\(difference.promptText)' where '\(difference.cachedText)' is cached\
            \(difference.likeness.map { ", which looks like a \($0.rawValue)" } ?? ""); the \
            \(difference.sameAgainTokens) tokens behind it are the same again and would have been reused. Put what \
            changes from request to request behind what stays the same.
            """
        return text
    }

    private static func rounded(_ seconds: Double) -> String {
        let tenths = Int((min(seconds, 1e9) * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    private static let wordLimit = 40

    private static func lastWord(_ text: String) -> String {
        String(text.reversed().prefix { !$0.isWhitespace && $0 != ">" && $0 != "<" }.prefix(wordLimit).reversed())
    }

    private static func firstWord(_ text: String) -> String {
        String(text.prefix { !$0.isWhitespace && $0 != "<" }.prefix(wordLimit))
    }
}

extension CacheExplanation.Likeness {
    /// Nil unless both texts are of the kind.
    init?(_ a: String, _ b: String) {
        let texts = [Array(a.utf8.prefix(200)), Array(b.utf8.prefix(200))]
        func both(_ holds: ([UInt8]) -> Bool) -> Bool { texts.allSatisfy(holds) }
        if both(Self.isTime) {
            self = .time
        } else if both(Self.isIdentifier) {
            self = .identifier
        } else if both({ !$0.isEmpty && $0.contains(where: Self.isDigit) && !$0.contains(where: Self.isLetter) }) {
            self = .number
        } else {
            return nil
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
    private static func isLetter(_ byte: UInt8) -> Bool { (65...90).contains(byte & 0xDF) }

    /// 12:05, 2026-11-24, 24/11/2026, a weekday, a month, or seconds since 1970.
    private static func isTime(_ text: [UInt8]) -> Bool {
        let kinds = text.map { isDigit($0) ? UInt8(ascii: "9") : $0 }
        for pattern in ["9:99", "9999-99-99", "99/99/99", "99.99.99", "9999/99/99"] {
            if contains(kinds, Array(pattern.utf8)) { return true }
        }
        let lower = text.map { isLetter($0) ? $0 | 0x20 : $0 }
        let words = lower.split { !isLetter($0) }
        let names = [
            "mon", "tue", "wed", "thu", "fri", "sat", "sun", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug",
            "sep", "oct", "nov", "dec",
        ]
        let full = [
            "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "january", "february",
            "march", "april", "june", "july", "august", "september", "october", "november", "december",
        ]
        let isNamed = words.contains { word in
            full.contains { word.elementsEqual($0.utf8) }
                || (names.contains { word.elementsEqual($0.utf8) } && text.contains(where: isDigit))
        }
        if isNamed { return true }
        // 2001 to 2286, in seconds or milliseconds.
        return text.split { !isDigit($0) }.contains { ($0.count == 10 || $0.count == 13) && $0.first == 49 }
    }

    /// A UUID, a hash, a random name: long, of letters and digits.
    private static func isIdentifier(_ text: [UInt8]) -> Bool {
        text.split { !isDigit($0) && !isLetter($0) && $0 != 45 && $0 != 95 }.contains { word in
            word.count >= 12 && word.count(where: isDigit) >= 3 && word.contains(where: isLetter)
        }
    }

    private static func contains(_ text: [UInt8], _ pattern: [UInt8]) -> Bool {
        guard text.count >= pattern.count else { return false }
        return (0...(text.count - pattern.count)).contains { text[$0..<$0 + pattern.count].elementsEqual(pattern) }
    }
}
