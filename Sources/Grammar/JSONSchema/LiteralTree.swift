/// Literals that go on differently, with common beginnings written once: text is matched along one path and not along
/// as many as there are literals.
enum LiteralTree {
    struct Entry {
        var bytes: [UInt8]
        var next: GrammarBuilder.Expression
    }

    static func expression(_ entries: [Entry], _ builder: inout GrammarBuilder) -> GrammarBuilder.Expression {
        let sorted = entries.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
        return expression(sorted[...], depth: 0, &builder)
    }

    private static func expression(
        _ entries: ArraySlice<Entry>, depth: Int, _ builder: inout GrammarBuilder
    ) -> GrammarBuilder.Expression {
        guard let first = entries.first, let last = entries.last else { return GrammarBuilder.never }
        if entries.count == 1 { return builder.sequence([builder.bytes(first.bytes[depth...]), first.next]) }
        // Sorted: what the first and the last share, all share.
        var common = depth
        while common < first.bytes.count, common < last.bytes.count, first.bytes[common] == last.bytes[common] {
            common += 1
        }
        var branches: [GrammarBuilder.Expression] = []
        var start = entries.startIndex
        while start < entries.endIndex, entries[start].bytes.count == common {
            branches.append(entries[start].next)
            start += 1
        }
        while start < entries.endIndex {
            let byte = entries[start].bytes[common]
            var end = start
            while end < entries.endIndex, entries[end].bytes[common] == byte { end += 1 }
            branches.append(expression(entries[start..<end], depth: common, &builder))
            start = end
        }
        return builder.sequence([builder.bytes(first.bytes[depth..<common]), builder.choice(branches)])
    }
}

/// JSON text of strings.
enum JSONText {
    /// With quotes and the fewest escapes, as `RegularEncoding.canonicalJSONString` spells it.
    static func quoted(_ text: String) -> [UInt8] {
        var result: [UInt8] = [UInt8(ascii: "\"")]
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): result += Array("\\\"".utf8)
            case UInt8(ascii: "\\"): result += Array("\\\\".utf8)
            case 0x08: result += Array("\\b".utf8)
            case 0x0C: result += Array("\\f".utf8)
            case 0x0A: result += Array("\\n".utf8)
            case 0x0D: result += Array("\\r".utf8)
            case 0x09: result += Array("\\t".utf8)
            case 0..<0x20:
                let digits = Array("0123456789abcdef".utf8)
                result += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            default: result.append(byte)
            }
        }
        return result + [UInt8(ascii: "\"")]
    }
}
