import TestSupport
import Testing
import WireTypes

struct JSONParserTests {
    private func parse(_ text: String) throws -> JSONValue { try JSONParser.parse(Array(text.utf8)) }

    private func failure(_ bytes: [UInt8], limits: JSONLimits = JSONLimits()) -> JSONError? {
        do {
            _ = try JSONParser.parse(bytes, limits: limits)
            return nil
        } catch {
            return error
        }
    }

    @Test func readsEveryKindOfValue() throws {
        let value = try parse(#" {"a": [1, -2, 3.5, 1e3, true, false, null, "x"], "b": {}, "c": []} "#)
        #expect(
            value
                == .object(
                    JSONObject([
                        (
                            "a",
                            .array([
                                .int(1), .int(-2), .number(3.5), .number(1000), .bool(true), .bool(false), .null,
                                .string("x"),
                            ])
                        ),
                        ("b", .object(JSONObject())), ("c", .array([])),
                    ])))
    }

    @Test func keepsTheOrderOfMembers() throws {
        guard case .object(let object) = try parse(#"{"z":1,"a":2,"m":3,"a":4}"#) else {
            Issue.record("no object")
            return
        }
        #expect(object.members.map(\.name) == ["z", "a", "m"])
        #expect(object["a"] == .int(4))
    }

    @Test func findsMembersOfLargeObjectsAndReplacesThem() {
        var object = JSONObject()
        for number in 0..<100 { object.set("key\(number)", .int(number)) }
        object.set("key3", .null)
        #expect(object.members.count == 100)
        #expect(object["key3"] == .null)
        #expect(object["key99"] == .int(99))
        #expect(object["key100"] == nil)
    }

    @Test func namesAreComparedByteByByte() throws {
        guard case .object(let object) = try parse("{\"e\\u0301\":1,\"\\u00e9\":2}") else {
            Issue.record("no object")
            return
        }
        #expect(object.members.count == 2)
        #expect(object["\u{e9}"] == .int(2))
    }

    @Test(arguments: [
        (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"), (#""\u00e9\u20AC""#, "é€"),
        (#""\ud83d\ude00""#, "😀"), (#""a\ud83d""#, "a\u{FFFD}"), (#""\ude00b""#, "\u{FFFD}b"),
        (#""\ud83d\u0041""#, "\u{FFFD}A"), (#""\u0000""#, "\u{0}"), ("\"日本\"", "日本"),
    ])
    func decodesStrings(json: String, text: String) throws {
        #expect(try parse(json) == .string(text))
    }

    @Test func integersThatDoNotFitBecomeNumbers() throws {
        #expect(try parse("9223372036854775807") == .int(.max))
        #expect(try parse("9223372036854775808") == .number(9_223_372_036_854_775_808))
        #expect(try parse("-0") == .int(0))
    }

    @Test(arguments: [
        ("", 0), ("{", 1), ("[1,]", 3), ("{\"a\":1,}", 7), ("{a:1}", 1), ("01", 0), ("-", 1), ("1.", 2), ("1e", 2),
        ("nul", 0), ("NaN", 0), ("\"a", 0), ("\"\\x\"", 2), ("\"\\u12g4\"", 3), ("\"\n\"", 1), ("1 2", 2), ("[1 2]", 3),
        ("{\"a\" 1}", 5), ("1e999", 0), ("// no", 0), ("\"\\u", 3),
    ])
    func refusesWhatIsNotJSON(text: String, offset: Int) throws {
        let error = try #require(failure(Array(text.utf8)))
        #expect(error.offset == offset, "\(error.message)")
    }

    @Test func saysLineAndColumn() throws {
        let error = try #require(failure(Array("{\n  \"a\": 1,\n  \"b\": tru\n}".utf8)))
        #expect(error.line == 3)
        #expect(error.column == 8)
    }

    @Test func refusesInvalidUTF8() throws {
        for bytes in [[0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22]] as [[UInt8]] {
            #expect(failure(bytes)?.reason == "the string is not valid UTF-8")
        }
    }

    @Test func boundsDepthAndSize() throws {
        #expect(failure(Array(String(repeating: "[", count: 100_000).utf8))?.reason.contains("nested") == true)
        var limits = JSONLimits()
        limits.values = 10
        #expect(failure(Array("[1,2,3,4,5,6,7,8,9]".utf8), limits: limits) == nil)
        #expect(failure(Array("[1,2,3,4,5,6,7,8,9,10]".utf8), limits: limits)?.reason == "more than 10 values")
    }

    /// Whatever the writer writes, the parser reads back.
    @Test func writtenValuesAreReadBack() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            let value = randomValue(depth: 4, &generator)
            var writer = JSONWriter()
            writer.value(value)
            #expect(try JSONParser.parse(writer.bytes) == value, "seed \(seed)")
        }
    }

    /// Mutated text is read or refused, and the offset is inside it.
    @Test func mutatedTextNeverTraps() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<2000 {
            var writer = JSONWriter()
            writer.value(randomValue(depth: 4, &generator))
            var bytes = writer.bytes
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let position = Int.random(in: 0...bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: position)
                case 1 where position < bytes.count: bytes.remove(at: position)
                default: bytes.removeLast(min(3, bytes.count))
                }
            }
            if let error = failure(bytes) { #expect((0...bytes.count).contains(error.offset), "seed \(seed)") }
        }
    }

    private func randomValue(depth: Int, _ generator: inout SeededGenerator) -> JSONValue {
        switch Int.random(in: 0..<(depth == 0 ? 5 : 7), using: &generator) {
        case 0: .null
        case 1: .bool(Bool.random(using: &generator))
        case 2: .int(Int.random(in: Int.min + 1...Int.max, using: &generator))
        case 3: .number(Double.random(in: -1e6...1e6, using: &generator) + 0.5)
        case 4: .string(randomText(&generator))
        case 5:
            .array(
                (0..<Int.random(in: 0...4, using: &generator)).map { _ in randomValue(depth: depth - 1, &generator) })
        default:
            .object(
                JSONObject(
                    (0..<Int.random(in: 0...20, using: &generator)).map { _ in
                        (randomText(&generator), randomValue(depth: depth - 1, &generator))
                    }))
        }
    }

    private func randomText(_ generator: inout SeededGenerator) -> String {
        var text = ""
        for _ in 0..<Int.random(in: 0...8, using: &generator) {
            let limit: UInt32 = [0x20, 0x80, 0x800, 0x10FFFF].randomElement(using: &generator) ?? 0x80
            text.unicodeScalars.append(
                Unicode.Scalar(UInt32.random(in: 0...limit, using: &generator)) ?? Unicode.Scalar(0x1F600 as UInt32)
                    ?? "x")
        }
        return text
    }
}
