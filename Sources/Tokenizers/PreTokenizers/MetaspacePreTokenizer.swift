/// `Metaspace`: spaces become a visible character (`▁`), which starts each piece.
struct MetaspacePreTokenizer: PreTokenizer {
    enum PrependScheme: Sendable {
        /// Only at the start of the text.
        case first
        case never
        /// Before each piece.
        case always
    }

    let replacement: [UInt8]
    let prepends: PrependScheme
    let splits: Bool

    func split(_ text: inout PreTokenizedText, matcher: inout PatternMatcher) {
        text.rewrite { bytes, piece, output in
            let start = output.count
            for index in piece.range {
                if bytes[index] == 0x20 { output += replacement } else { output.append(bytes[index]) }
            }
            let wanted = prepends == .always || prepends == .first && piece.opensText
            if wanted, !output[start...].starts(with: replacement) {
                output.insert(contentsOf: replacement, at: start)
            }
        }
        guard splits else { return }
        text.cut(.mergedWithNext) { bytes, range, report in
            var start = range.lowerBound
            var index = start
            while index < range.upperBound {
                let next = index + UTF8Text.length(lead: bytes[index])
                if matches(bytes, at: index, to: next) {
                    if start < index { report(start..<index, false) }
                    report(index..<next, true)
                    start = next
                }
                index = next
            }
            if start < range.upperBound { report(start..<range.upperBound, false) }
        }
    }

    private func matches(_ bytes: Span<UInt8>, at start: Int, to end: Int) -> Bool {
        guard end - start == replacement.count else { return false }
        for (offset, byte) in replacement.enumerated() where bytes[start + offset] != byte { return false }
        return true
    }
}

/// The replacement character of `Metaspace`, as pre-tokenizer or decoder.
func readMetaspaceReplacement(_ field: JSONField) throws(TokenizerError) -> [UInt8] {
    let replacement = try field.required("replacement")
    _ = try replacement.scalar()
    return try replacement.bytes()
}

/// Where `Metaspace` prepends; older files say it with `add_prefix_space`.
func readMetaspaceScheme(_ field: JSONField) throws(TokenizerError) -> MetaspacePreTokenizer.PrependScheme {
    if let scheme = try field.optional("prepend_scheme") {
        switch try scheme.string() {
        case "first": return .first
        case "never": return .never
        case "always": return .always
        case let name:
            throw TokenizerError.invalidValue(
                path: scheme.path, value: "\"\(name)\"", reason: "expected first, never or always")
        }
    }
    return try field.bool("add_prefix_space", default: true) ? .always : .never
}
