/// `text` with each scalar given to `body`, which appends what shall stand in its place.
@inline(__always)
func rewritten(_ text: [UInt8], _ body: (UInt32, inout [UInt8]) -> Void) -> [UInt8] {
    var output: [UInt8] = []
    output.reserveCapacity(text.count)
    let span = text.span
    var index = 0
    while index < span.count {
        let (scalar, next) = UTF8Text.scalar(in: span, at: index)
        body(scalar, &output)
        index = next
    }
    return output
}
