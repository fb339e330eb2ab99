/// Finds the few members that a benchmark needs in one streamed JSON object, in one pass and without a tree: parsing is
/// part of what is measured, and SGLang's events repeat the whole text each time.
///
/// Names are looked for at any depth; those of the dialects do not collide, since every request asks for one answer.
struct ChunkScanner {
    /// Still escaped, without the quotes: positions in the scanned bytes.
    var texts: [Range<Int>] = []
    var completionTokens: Int?
    var promptTokens: Int?
    var cachedTokens: Int?
    /// SGLang's `cached_tokens_details`.
    var cachedByTier: CachedByTier?
    /// `finish_reason`, or its `type`.
    var finish: Range<Int>?
    var isError = false
    /// The first `message`.
    var message: Range<Int>?

    init(_ bytes: [UInt8], _ range: Range<Int>, dialect: ServingBackend.Dialect) {
        var at = range.lowerBound
        let end = range.upperBound
        while at < end {
            guard bytes[at] == UInt8(ascii: "\"") else {
                at += 1
                continue
            }
            let name = Self.string(bytes, from: &at, end: end)
            Self.skipSpace(bytes, &at, end)
            guard at < end, bytes[at] == UInt8(ascii: ":") else { continue }
            at += 1
            Self.skipSpace(bytes, &at, end)
            guard at < end else { return }
            value(of: name, bytes, &at, end, dialect)
        }
    }

    private mutating func value(
        of name: Range<Int>, _ bytes: [UInt8], _ at: inout Int, _ end: Int, _ dialect: ServingBackend.Dialect
    ) {
        let isString = bytes[at] == UInt8(ascii: "\"")
        let isNull = bytes[at] == UInt8(ascii: "n")
        switch name.count {
        case 4 where bytes[name].elementsEqual("text".utf8):
            if isString { texts.append(Self.string(bytes, from: &at, end: end)) }
        case 4 where bytes[name].elementsEqual("type".utf8):
            if isString { finish = Self.string(bytes, from: &at, end: end) }
        case 5 where bytes[name].elementsEqual("error".utf8): if !isNull { isError = true }
        case 4 where bytes[name].elementsEqual("host".utf8):
            if let found = Self.integer(bytes, at, end) { tier { $0.host = found } }
        case 6 where bytes[name].elementsEqual("device".utf8):
            if let found = Self.integer(bytes, at, end) { tier { $0.device = found } }
        case 7 where bytes[name].elementsEqual("storage".utf8):
            if let found = Self.integer(bytes, at, end) { tier { $0.storage = found } }
        case 15 where bytes[name].elementsEqual("storage_backend".utf8):
            if isString {
                let word = String(decoding: bytes[Self.string(bytes, from: &at, end: end)], as: UTF8.self)
                tier { $0.storageBackend = word }
            }
        case 7 where bytes[name].elementsEqual("content".utf8):
            if isString { texts.append(Self.string(bytes, from: &at, end: end)) }
        case 7 where bytes[name].elementsEqual("message".utf8):
            if isString, message == nil { message = Self.string(bytes, from: &at, end: end) }
        case 7 where bytes[name].elementsEqual("cache_n".utf8): cachedTokens = Self.integer(bytes, at, end)
        case 8 where bytes[name].elementsEqual("prompt_n".utf8) && dialect == .llamaCompletion:
            if let found = Self.integer(bytes, at, end) { promptTokens = found + (cachedTokens ?? 0) }
        case 9 where bytes[name].elementsEqual("reasoning".utf8):
            if isString { texts.append(Self.string(bytes, from: &at, end: end)) }
        case 11 where bytes[name].elementsEqual("predicted_n".utf8) && dialect == .llamaCompletion:
            completionTokens = Self.integer(bytes, at, end)
        case 13 where bytes[name].elementsEqual("cached_tokens".utf8):
            cachedTokens = Self.integer(bytes, at, end) ?? cachedTokens
        case 13 where bytes[name].elementsEqual("prompt_tokens".utf8):
            promptTokens = Self.integer(bytes, at, end) ?? promptTokens
        case 13 where bytes[name].elementsEqual("finish_reason".utf8):
            if isString { finish = Self.string(bytes, from: &at, end: end) }
        case 17 where bytes[name].elementsEqual("completion_tokens".utf8):
            completionTokens = Self.integer(bytes, at, end) ?? completionTokens
        case 17 where bytes[name].elementsEqual("reasoning_content".utf8):
            if isString { texts.append(Self.string(bytes, from: &at, end: end)) }
        default: break
        }
        // Other values are walked through; strings in them that are names are met in turn.
    }

    private mutating func tier(_ change: (inout CachedByTier) -> Void) {
        var tiers = cachedByTier ?? CachedByTier()
        change(&tiers)
        cachedByTier = tiers
    }

    /// - Parameter at: the opening quote; moved behind the closing one.
    private static func string(_ bytes: [UInt8], from at: inout Int, end: Int) -> Range<Int> {
        at += 1
        let start = at
        while at < end {
            switch bytes[at] {
            case UInt8(ascii: "\""):
                at += 1
                return start..<at - 1
            case UInt8(ascii: "\\"): at += 2
            default: at += 1
            }
        }
        at = end
        return start..<end
    }

    private static func skipSpace(_ bytes: [UInt8], _ at: inout Int, _ end: Int) {
        while at < end, bytes[at] == 0x20 || bytes[at] == 0x0A || bytes[at] == 0x0D || bytes[at] == 0x09 { at += 1 }
    }

    private static func integer(_ bytes: [UInt8], _ start: Int, _ end: Int) -> Int? {
        var at = start
        var value = 0
        while at < end, bytes[at] >= UInt8(ascii: "0"), bytes[at] <= UInt8(ascii: "9"), at - start < 15 {
            value = value * 10 + Int(bytes[at] - UInt8(ascii: "0"))
            at += 1
        }
        return at == start ? nil : value
    }
}
