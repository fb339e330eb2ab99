/// `ByteLevel`: GPT-2's pattern, then each byte as its character of `ByteLevelAlphabet`.
struct ByteLevelPreTokenizer: PreTokenizer {
    let addsPrefixSpace: Bool
    /// GPT-2's own pattern; nil where another pre-tokenizer has split already.
    let pattern: SplitPattern?
    /// False where the model looks bytes up as they are, which spares the detour over the alphabet.
    let writesAlphabet: Bool

    /// The pattern of GPT-2's published encoder.
    static let gpt2Pattern = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

    func split(_ text: inout PreTokenizedText, matcher: inout PatternMatcher) {
        if addsPrefixSpace {
            text.rewrite { bytes, piece, output in
                if bytes[piece.range.lowerBound] != 0x20 { output.append(0x20) }
                for index in piece.range { output.append(bytes[index]) }
            }
        }
        if let pattern {
            text.cut(.isolated) { bytes, range, report in
                pattern.forEachPart(in: bytes, bounds: range, matcher: &matcher, report)
            }
        }
        if writesAlphabet {
            text.rewrite { bytes, piece, output in
                ByteLevelAlphabet.encode(bytes.extracting(piece.range), into: &output)
            }
        }
    }
}
