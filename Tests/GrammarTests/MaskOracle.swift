import Grammar

/// Small vocabularies made of texts.
enum TestVocabulary {
    /// Id 0 ends the text, id 1 is a special token; texts start at 2; all single bytes come last.
    static let end: Int32 = 0

    static func make(_ texts: [String], singleBytes: Bool = true) -> TokenVocabulary {
        make(texts.map { Array($0.utf8) }, singleBytes: singleBytes)
    }

    static func make(_ tokens: [[UInt8]], singleBytes: Bool = true) -> TokenVocabulary {
        let all = tokens + (singleBytes ? (0...255).map { [UInt8($0)] } : [])
        return TokenVocabulary(size: all.count + 5, endTokens: [0], specialTokens: [1]) { id in
            Int(id) - 2 < all.count ? all[Int(id) - 2] : nil
        }
    }
}

/// The plain way to a mask: every token, byte by byte.
enum MaskOracle {
    static func mask(_ matcher: GrammarMatcher, _ vocabulary: TokenVocabulary) -> TokenMask {
        var mask = TokenMask(count: vocabulary.size)
        for id in 0..<Int32(vocabulary.size) {
            var copy = matcher
            if copy.accept(id) { mask.insert(id) }
        }
        return mask
    }

    /// Ids whose bit in the matcher's mask is not what the plain way says.
    static func mismatches(_ matcher: GrammarMatcher, _ vocabulary: TokenVocabulary) -> [Int32] {
        var fast = TokenMask(count: vocabulary.size)
        matcher.fill(&fast)
        let slow = mask(matcher, vocabulary)
        return (0..<Int32(vocabulary.size)).filter { fast.contains($0) != slow.contains($0) }
    }

    static func texts(_ matcher: GrammarMatcher, _ vocabulary: TokenVocabulary) -> Set<String> {
        var mask = TokenMask(count: vocabulary.size)
        matcher.fill(&mask)
        return Set(mask.allowedTokens.map { String(decoding: vocabulary.bytes(of: $0), as: UTF8.self) })
    }
}
