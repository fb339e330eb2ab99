/// `Metaspace`: `▁` becomes a space, and nothing in the first token if a space was prepended there.
struct MetaspaceDecoder: DecoderStep {
    let replacement: [UInt8]
    let dropsInFirst: Bool
    private var isFirst = true

    init(replacement: [UInt8], dropsInFirst: Bool) {
        self.replacement = replacement
        self.dropsInFirst = dropsInFirst
    }

    mutating func process(_ input: TokenFragments, isFinal: Bool) -> TokenFragments {
        var output = TokenFragments()
        output.bytes.reserveCapacity(input.bytes.count)
        input.forEachPart { range, isEnd in
            var index = range.lowerBound
            while index < range.upperBound {
                let next = min(index + UTF8Text.length(lead: input.bytes[index]), range.upperBound)
                if input.bytes[index..<next].elementsEqual(replacement) {
                    if !(isFirst && dropsInFirst) { output.bytes.append(0x20) }
                } else {
                    output.bytes += input.bytes[index..<next]
                }
                index = next
            }
            guard isEnd else { return }
            output.ends.append(output.bytes.count)
            isFirst = false
        }
        return output
    }

    func running(_ piece: inout RunningPiece) {
        if piece.isRaw { return }
        var step = MetaspaceDecoder(replacement: replacement, dropsInFirst: false)
        piece.bytes = step.process(TokenFragments(bytes: piece.bytes, ends: [piece.bytes.count]), isFinal: true).bytes
    }
}
