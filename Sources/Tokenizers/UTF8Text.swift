/// Reading and writing Unicode scalars in arrays of UTF-8.
///
/// Text inside this module is always valid UTF-8 in `[UInt8]`: `String` compares by canonical equivalence and walks by
/// grapheme, and a tokenizer may do neither. The functions rely on the validity and still never read outside `text`.
enum UTF8Text {
    /// The scalar that starts at `index`, and the index behind it.
    @inline(__always)
    static func scalar(in text: Span<UInt8>, at index: Int) -> (value: UInt32, next: Int) {
        let first = UInt32(text[index])
        if first < 0x80 { return (first, index &+ 1) }
        if first < 0xE0 {
            return ((first & 0x1F) << 6 | UInt32(text[index &+ 1]) & 0x3F, index &+ 2)
        }
        if first < 0xF0 {
            let middle = (UInt32(text[index &+ 1]) & 0x3F) << 6
            return ((first & 0x0F) << 12 | middle | UInt32(text[index &+ 2]) & 0x3F, index &+ 3)
        }
        let high = (first & 0x07) << 18 | (UInt32(text[index &+ 1]) & 0x3F) << 12
        let low = (UInt32(text[index &+ 2]) & 0x3F) << 6 | UInt32(text[index &+ 3]) & 0x3F
        return (high | low, index &+ 4)
    }

    /// Bytes of the scalar that starts with `lead`.
    @inline(__always)
    static func length(lead: UInt8) -> Int {
        lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
    }

    /// Start of the scalar that ends before `index`; `index` must be above `lower`.
    @inline(__always)
    static func start(before index: Int, in text: Span<UInt8>, lower: Int) -> Int {
        var position = index &- 1
        while position > lower, text[position] & 0xC0 == 0x80 { position &-= 1 }
        return position
    }

    /// Appends `scalar` to `text`.
    @inline(__always)
    static func append(_ scalar: UInt32, to text: inout [UInt8]) {
        if scalar < 0x80 {
            text.append(UInt8(truncatingIfNeeded: scalar))
        } else if scalar < 0x800 {
            text.append(UInt8(truncatingIfNeeded: 0xC0 | scalar >> 6))
            text.append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
        } else if scalar < 0x10000 {
            text.append(UInt8(truncatingIfNeeded: 0xE0 | scalar >> 12))
            text.append(UInt8(truncatingIfNeeded: 0x80 | scalar >> 6 & 0x3F))
            text.append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
        } else {
            text.append(UInt8(truncatingIfNeeded: 0xF0 | scalar >> 18))
            text.append(UInt8(truncatingIfNeeded: 0x80 | scalar >> 12 & 0x3F))
            text.append(UInt8(truncatingIfNeeded: 0x80 | scalar >> 6 & 0x3F))
            text.append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
        }
    }

    /// The scalars of `text`.
    static func scalars(of text: [UInt8]) -> [UInt32] {
        var result: [UInt32] = []
        result.reserveCapacity(text.count)
        let span = text.span
        var index = 0
        while index < span.count {
            let (value, next) = scalar(in: span, at: index)
            result.append(value)
            index = next
        }
        return result
    }

    /// Whether every byte of `text` is ASCII.
    static func isASCII(_ text: [UInt8]) -> Bool {
        text.allSatisfy { $0 < 0x80 }
    }
}
