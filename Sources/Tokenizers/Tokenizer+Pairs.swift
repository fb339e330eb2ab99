extension Tokenizer {
    /// Whether the file says how two texts are put together.
    package var takesPairs: Bool { pairTemplate != nil }

    /// Ids of `text` with special tokens, of which there are at most `limit`: what is too much is cut from the end of the
    /// text.
    package func encode(_ text: String, limit: Int) -> [Int32] {
        let ids = encode(text, addSpecialTokens: false)
        return postProcessor.process(Array(ids.prefix(max(0, limit - postProcessor.addedCount))))
    }

    /// Ids of two texts that a model reads together, special tokens included, and the token type of each id.
    ///
    /// - Parameter limit: most ids; what is too much is cut from the ends, from the longer text first. Nil: nothing is.
    /// - Returns: nil if the file has no rule for two texts.
    package func encodePair(
        _ first: String, _ second: String, limit: Int? = nil
    ) -> (ids: [Int32], types: [Int32])? {
        guard let pairTemplate else { return nil }
        var first = encode(first, addSpecialTokens: false)
        var second = encode(second, addSpecialTokens: false)
        if let limit {
            let room = max(0, limit - pairTemplate.addedCount)
            if first.count + second.count > room {
                let kept = Self.kept(first.count, second.count, room: room)
                first = Array(first.prefix(kept.first))
                second = Array(second.prefix(kept.second))
            }
        }
        return pairTemplate.process(first, second)
    }

    /// What is left of two lengths that are too much together, as the `tokenizers` library shares it out.
    private static func kept(_ first: Int, _ second: Int, room: Int) -> (first: Int, second: Int) {
        var short = min(first, second)
        var long = short > room ? short : max(short, room - short)
        if short + long > room {
            short = room / 2
            long = short + room % 2
        }
        return first > second ? (long, short) : (short, long)
    }
}
