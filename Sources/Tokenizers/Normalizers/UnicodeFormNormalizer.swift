/// `NFC`, `NFD`, `NFKC`, `NFKD`: the normalization forms of Unicode Standard Annex #15, with the data that the
/// reference library carries.
struct UnicodeFormNormalizer: Normalizer {
    enum Form: Sendable {
        case nfc, nfd, nfkc, nfkd
    }

    let form: Form

    func normalize(_ text: inout [UInt8], matcher: inout PatternMatcher) {
        if !UTF8Text.isASCII(text) { text = normalized(text) }
    }

    private func normalized(_ text: [UInt8]) -> [UInt8] {
        let data = UnicodeForms.shared
        let inert =
            form == .nfc || form == .nfd
            ? (form == .nfc ? data.inertComposed : data.inertDecomposed) : data.inertCompatibility
        let span = text.span
        var output: [UInt8] = []
        output.reserveCapacity(text.count + text.count / 8)
        // Only the neighbourhood of a code point that normalization can touch is taken apart.
        var copied = 0
        var index = 0
        var lastStart = 0
        while index < span.count {
            let (scalar, next) = UTF8Text.scalar(in: span, at: index)
            if scalar < 0x80 || inert.contains(scalar) {
                lastStart = index
                index = next
                continue
            }
            // The code point before may compose with this one.
            let start = max(copied, min(lastStart, index))
            var end = next
            while end < span.count {
                let (following, after) = UTF8Text.scalar(in: span, at: end)
                if following < 0x80 || inert.contains(following) { break }
                end = after
            }
            output += text[copied..<start]
            var scalars = UTF8Text.scalars(of: Array(text[start..<end]))
            scalars = data.decompose(scalars, compatibility: form == .nfkc || form == .nfkd)
            if form == .nfc || form == .nfkc { scalars = data.compose(scalars) }
            for scalar in scalars { UTF8Text.append(scalar, to: &output) }
            copied = end
            lastStart = end
            index = end
        }
        output += text[copied...]
        return output
    }
}

/// The tables and steps of the normalization forms.
struct UnicodeForms: Sendable {
    static let shared = UnicodeForms()

    private let canonical: [UInt32: [UInt32]]
    private let compatibility: [UInt32: [UInt32]]
    private let classes: [UInt32: UInt8]
    private let compositions: [UInt64: UInt32]
    /// Code points that NFC leaves alone whatever stands before them.
    let inertComposed: CodePointTable
    /// Code points that NFD leaves alone and where reordering stops.
    let inertDecomposed: CodePointTable
    /// The same for both compatibility forms.
    let inertCompatibility: CodePointTable

    // Hangul syllables are composed by arithmetic: The Unicode Standard, section 3.12.
    private static let syllableBase: UInt32 = 0xAC00
    private static let syllableCount: UInt32 = 11172
    private static let leadingBase: UInt32 = 0x1100
    private static let vowelBase: UInt32 = 0x1161
    private static let trailingBase: UInt32 = 0x11A7
    private static let vowelCount: UInt32 = 21
    private static let trailingCount: UInt32 = 28

    private init() {
        canonical = UnicodeTables.mapping(UnicodeTableData.canonicalDecompositions)
        compatibility = UnicodeTables.mapping(UnicodeTableData.compatibilityDecompositions)
        var classes: [UInt32: UInt8] = [:]
        var position: UInt32 = 0
        for word in UnicodeTables.words(UnicodeTableData.combiningClasses) {
            let values = UnicodeTables.numbers(word[...])
            position += values[0]
            for codePoint in position..<position + values[1] { classes[codePoint] = UInt8(values[2]) }
            position += values[1]
        }
        self.classes = classes
        var compositions: [UInt64: UInt32] = [:]
        var composed: Set<UInt32> = []
        var seconds: Set<UInt32> = []
        for word in UnicodeTables.words(UnicodeTableData.compositions) {
            let values = UnicodeTables.numbers(word[...])
            compositions[UInt64(values[0]) << 32 | UInt64(values[1])] = values[2]
            composed.insert(values[2])
            seconds.insert(values[1])
        }
        self.compositions = compositions

        func table(_ active: some Sequence<UInt32>, _ ranges: [CodePointSet.Run] = []) -> CodePointTable {
            let runs = active.map { CodePointSet.Run(first: $0, last: $0) } + ranges
            return CodePointTable(CodePointSet(runs).inverted())
        }
        let syllables = CodePointSet.Run(
            first: Self.syllableBase, last: Self.syllableBase + Self.syllableCount - 1)
        let jamo = CodePointSet.Run(first: Self.leadingBase, last: 0x11FF)
        let marks = Array(classes.keys)
        let changing = Array(canonical.keys)
        inertComposed = table(marks + changing.filter { !composed.contains($0) } + seconds, [jamo])
        inertDecomposed = table(marks + changing, [syllables])
        inertCompatibility = table(marks + changing + Array(compatibility.keys) + seconds, [syllables, jamo])
    }

    /// Full decomposition in canonical order.
    func decompose(_ scalars: [UInt32], compatibility usesCompatibility: Bool) -> [UInt32] {
        var output: [UInt32] = []
        output.reserveCapacity(scalars.count + 8)
        for scalar in scalars {
            let offset = scalar &- Self.syllableBase
            if offset < Self.syllableCount {
                let perLeading = Self.vowelCount * Self.trailingCount
                output.append(Self.leadingBase + offset / perLeading)
                output.append(Self.vowelBase + offset % perLeading / Self.trailingCount)
                let trailing = offset % Self.trailingCount
                if trailing != 0 { output.append(Self.trailingBase + trailing) }
            } else if usesCompatibility, let parts = compatibility[scalar] {
                output += parts
            } else if let parts = canonical[scalar] {
                output += parts
            } else {
                output.append(scalar)
            }
        }
        reorder(&output)
        return output
    }

    /// Sorts each run of marks by combining class, keeping the order of equal classes.
    private func reorder(_ scalars: inout [UInt32]) {
        var start = 0
        while start < scalars.count {
            guard classes[scalars[start]] != nil else {
                start += 1
                continue
            }
            var end = start + 1
            while end < scalars.count, classes[scalars[end]] != nil { end += 1 }
            if end - start > 1 {
                let marks = scalars[start..<end].enumerated().map { (classes[$0.element] ?? 0, $0.offset, $0.element) }
                let sorted = marks.sorted { ($0.0, $0.1) < ($1.0, $1.1) }
                for (place, mark) in sorted.enumerated() { scalars[start + place] = mark.2 }
            }
            start = end
        }
    }

    /// Canonical composition of text in canonical order.
    func compose(_ scalars: [UInt32]) -> [UInt32] {
        var output: [UInt32] = []
        output.reserveCapacity(scalars.count)
        // Place of the last starter in `output`, and the class of what was written behind it.
        var starter = -1
        var lastClass: UInt8?
        for scalar in scalars {
            let combining = classes[scalar] ?? 0
            if starter >= 0, lastClass.map({ $0 < combining }) ?? true,
                let whole = composition(output[starter], scalar)
            {
                output[starter] = whole
                continue
            }
            output.append(scalar)
            if combining == 0 {
                starter = output.count - 1
                lastClass = nil
            } else {
                lastClass = combining
            }
        }
        return output
    }

    private func composition(_ first: UInt32, _ second: UInt32) -> UInt32? {
        let leading = first &- Self.leadingBase
        let vowel = second &- Self.vowelBase
        if leading < 19, vowel < Self.vowelCount {
            return Self.syllableBase + (leading * Self.vowelCount + vowel) * Self.trailingCount
        }
        let syllable = first &- Self.syllableBase
        let trailing = second &- Self.trailingBase
        if syllable < Self.syllableCount, syllable % Self.trailingCount == 0, trailing > 0,
            trailing < Self.trailingCount
        {
            return first + trailing
        }
        return compositions[UInt64(first) << 32 | UInt64(second)]
    }
}
