/// `BertNormalizer`: cleaning, spaces around Chinese characters, accents, case; in this order.
struct BertNormalizer: Normalizer {
    /// Deletes control characters and U+FFFD and turns white space into spaces.
    let cleansText: Bool
    let spacesChinese: Bool
    /// Nil: as `lowercases`.
    let stripsAccents: Bool?
    let lowercases: Bool

    func normalize(_ text: inout [UInt8], matcher: inout PatternMatcher) {
        if cleansText {
            let control = UnicodeTables.control
            let space = UnicodeTables.whiteSpace
            text = rewritten(text) { scalar, output in
                if control.contains(scalar) { return }
                UTF8Text.append(space.contains(scalar) ? 0x20 : scalar, to: &output)
            }
        }
        if spacesChinese, !UTF8Text.isASCII(text) {
            text = rewritten(text) { scalar, output in
                guard Self.isChinese(scalar) else { return UTF8Text.append(scalar, to: &output) }
                output.append(0x20)
                UTF8Text.append(scalar, to: &output)
                output.append(0x20)
            }
        }
        if stripsAccents ?? lowercases, !UTF8Text.isASCII(text) {
            UnicodeFormNormalizer(form: .nfd).normalize(&text, matcher: &matcher)
            let marks = UnicodeTables.nonspacingMark
            text = rewritten(text) { scalar, output in
                if !marks.contains(scalar) { UTF8Text.append(scalar, to: &output) }
            }
        }
        if lowercases { LowercaseNormalizer().normalize(&text, matcher: &matcher) }
    }

    /// The ideographs that BERT's own tokenizer lists. Its fifth block starts at U+2B920, as there.
    private static func isChinese(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
            0x2B920...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
            true
        default: false
        }
    }
}
