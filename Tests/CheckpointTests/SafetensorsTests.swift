import Checkpoint
import Glibc
import Tensors
import Testing

/// A safetensors file is checked in full before a byte of it is used.
@Suite struct SafetensorsTests {
    private func open(_ contents: [UInt8]) throws -> SafetensorsFile {
        let directory = try TemporaryDirectory(["model.safetensors": contents])
        let files = try ModelFiles.directory(directory.path)
        return try SafetensorsFile(try #require(try files.mapped("model.safetensors")))
    }

    @Test func aGoodFileGivesItsTensors() throws {
        let file = try open(SafetensorsBytes.small)
        let data = SafetensorsBytes.small.count - 36
        #expect(file.names == ["a", "b", "empty", "scalar"])
        let a = try file.tensor("a")
        #expect(a.dtype == .float32 && a.shape == [2, 3] && a.name == "a")
        #expect(a.bytes.elementsEqual(0..<24))
        #expect(try file.tensor("b").bytes.elementsEqual(24..<32))
        #expect(try file.tensor("empty").bytes.isEmpty)
        #expect(try file.tensor("scalar").elementCount == 1)
        let information = try #require(file.information("b"))
        #expect(information.bytes == data + 24..<data + 32)
        #expect(information.typeName == "BF16" && information.shape == [4] && information.dtype == .bfloat16)
        #expect(file.information("c") == nil)
        #expect(throws: CheckpointError.missingTensor(name: "c", source: file.description)) {
            try file.tensor("c")
        }
    }

    /// The view alone keeps the mapping alive, and what was released can still be read.
    @Test func viewsOutliveTheFileObject() throws {
        var file: SafetensorsFile? = try open(SafetensorsBytes.small)
        file?.release("a")
        let view = try #require(try file?.tensor("a"))
        file = nil
        #expect(view.bytes.elementsEqual(0..<24))
    }

    @Test func typesThatOnlyTheFormatKnowsAreReportedWhenTheyAreUsed() throws {
        let header = #"{"w":{"dtype":"F8_E4M3FNUZ","shape":[3],"data_offsets":[0,3]}}"#
        let file = try open(SafetensorsBytes.file(header: header, data: 3))
        #expect(file.information("w")?.typeName == "F8_E4M3FNUZ")
        #expect(file.information("w")?.dtype == nil)
        let expected = CheckpointError.unsupportedTensorType(
            file: file.description, tensor: "w", type: "F8_E4M3FNUZ", supported: ["F32", "F16", "BF16"])
        #expect(throws: expected) { try file.tensor("w") }
    }

    private static func tensor(
        _ name: String = "w", _ dtype: String = "F32", _ shape: String = "[2]", _ offsets: String = "[0,8]"
    ) -> String {
        #""\#(name)":{"dtype":"\#(dtype)","shape":\#(shape),"data_offsets":\#(offsets)}"#
    }

    /// Header, bytes of data, the tensor that the error names, and what it says was found.
    private static let lies: [(header: String, data: Int, tensor: String, found: String)] = [
        ("{\(tensor())}", 7, "w", "end at 8 after the header"),
        ("{\(tensor("w", "F32", "[2]", "[0,9223372036854775807]"))}", 8, "w", "end at 9223372036854775807"),
        ("{\(tensor("w", "F32", "[3]"))}", 8, "w", "8"),
        ("{\(tensor("w", "BF16"))}", 8, "w", "8"),
        ("{\(tensor("w", "F32", "[4611686018427387904,4]"))}", 8, "w", "shape [4611686018427387904, 4]"),
        ("{\(tensor("w", "F32", "[9223372036854775808]"))}", 8, "w", "[9.223372036854776e+18]"),
        ("{\(tensor("w", "F32", "[-2]"))}", 8, "w", "[-2]"),
        ("{\(tensor("w", "F32", "[2.5]"))}", 8, "w", "[2.5]"),
        ("{\(tensor("w", "F32", "2"))}", 8, "w", "2"),
        ("{\(tensor("w", "F32", "[2]", "[8,0]"))}", 8, "w", "[8, 0]"),
        ("{\(tensor("w", "F32", "[2]", "[0]"))}", 8, "w", "[0]"),
        ("{\(tensor("w", "F32", "[2]", "[-8,0]"))}", 8, "w", "[-8, 0]"),
        ("{\(tensor("w", "f32"))}", 8, "w", "f32"),
        ("{\(tensor("w", "F4", "[3]", "[0,1]"))}", 1, "w", "1"),
        (#"{"w":{"shape":[2],"data_offsets":[0,8]}}"#, 8, "w", "none"),
        (#"{"w":{"dtype":"F32","data_offsets":[0,8]}}"#, 8, "w", "none"),
        (#"{"w":{"dtype":"F32","shape":[2]}}"#, 8, "w", "none"),
        (#"{"w":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 8, "w", "dtype twice"),
        (#"{"w":[0,8]}"#, 8, "w", "[0, 8]"),
        ("{\(tensor()),\(tensor())}", 8, "w", "it twice"),
        ("{\(tensor()),\(tensor("v", "F32", "[2]", "[4,12]"))}", 12, "v", "an overlap"),
        ("{\(tensor()),\(tensor("v", "F32", "[2]", "[0,8]"))}", 8, "v", "an overlap"),
        ("{\(tensor()),\(tensor("v", "F32", "[2]", "[12,20]"))}", 20, "v", "a hole"),
        ("{\(tensor("w", "F32", "[2]", "[4,12]"))}", 12, "w", "a hole"),
    ]

    @Test(arguments: lies.indices) func aLyingTensorIsNamedWithItsFile(index: Int) throws {
        let lie = Self.lies[index]
        let error = #expect(throws: CheckpointError.self) {
            try open(SafetensorsBytes.file(header: lie.header, data: lie.data))
        }
        guard case .malformedTensor(let file, let tensor, let bytes, _, let found)? = error else {
            Issue.record("\(lie.header): \(String(describing: error))")
            return
        }
        #expect(file.hasSuffix("/model.safetensors"))
        #expect(found.hasPrefix(lie.found), "\(lie.header): \(found)")
        // Which of two that claim the same bytes is called the liar does not matter.
        #expect(tensor == lie.tensor || lie.found == "an overlap", "\(lie.header)")
        if let bytes {
            #expect("\(error as Any)".contains("tensor \(tensor), bytes \(bytes.lowerBound)..<\(bytes.upperBound):"))
        }
        if ["8", "an overlap", "a hole"].contains(lie.found) { #expect(bytes != nil, "\(lie.header)") }
    }

    @Test func errorsReadWell() {
        let error = CheckpointError.malformedTensor(
            file: "m/model.safetensors", tensor: "w", bytes: 68..<76, expected: "12 bytes for F32 [3]", found: "8")
        #expect(
            error.description
                == "m/model.safetensors, tensor w, bytes 68..<76: expected 12 bytes for F32 [3], found 8. "
                + "The file is damaged or incomplete: fetch it again.")
    }

    @Test func aBadFrameIsNamedWithItsBytes() throws {
        func frame(_ contents: [UInt8]) -> Range<Int>? {
            let error = #expect(throws: CheckpointError.self) { try open(contents) }
            guard case .malformedHeader(let file, let bytes, _, _)? = error else {
                Issue.record("\(String(describing: error))")
                return nil
            }
            #expect(file.hasSuffix("/model.safetensors"))
            return bytes
        }
        #expect(frame([]) == 0..<8)
        #expect(frame([1, 0, 0]) == 0..<8)
        let header = "{\(Self.tensor())}"
        #expect(frame(SafetensorsBytes.file(header: header, data: 8, length: UInt64(header.utf8.count + 9))) == 0..<8)
        #expect(frame(SafetensorsBytes.file(header: header, data: 8, length: .max)) == 0..<8)
        #expect(frame(SafetensorsBytes.file(header: header, data: 8, length: 1 << 62)) == 0..<8)
        #expect(frame(SafetensorsBytes.file(header: "", data: 8)) == 8..<9)
        #expect(frame(SafetensorsBytes.file(header: "[]", data: 0)) == 8..<9)
        let end = 8 + header.utf8.count + 8
        #expect(frame(SafetensorsBytes.file(header: header, data: 11)) == end..<end + 3)
        #expect(frame(SafetensorsBytes.file(header: "{}", data: 5)) == 10..<15)
    }

    @Test func aHeaderBeyondTheFormatsLimitIsNotReadEvenIfItIsThere() throws {
        let directory = try TemporaryDirectory(["model.safetensors": [0x01, 0xE1, 0xF5, 0x05, 0, 0, 0, 0]])
        let path = directory.path + "/model.safetensors"
        #expect(truncate(path, 200_000_000) == 0)
        let error = #expect(throws: CheckpointError.self) { try SafetensorsFile(MappedFile(path: path)) }
        #expect(
            error?.description
                == "\(path), bytes 0..<8: expected a header length of at most 100000000, found 100000001. "
                + "The file is damaged or incomplete: fetch it again.")
    }

    @Test(arguments: [
        #"{"__metadata__":{},\#(tensor())}"#, #"{\#(tensor()),"__metadata__":{"format":"pt","w":"[0,8]"}}"#,
        #"{"__metadata__":null,\#(tensor())}"#, "{ \(tensor()) }  \n",
    ])
    func metadataIsNoTensor(header: String) throws {
        let file = try open(SafetensorsBytes.file(header: header, data: 8))
        #expect(file.names == ["w"])
        #expect(file.information("__metadata__") == nil)
        #expect(try file.tensor("w").bytes.elementsEqual(0..<8))
    }

    @Test func filesWithoutTensorsAndNamesOfAnyKindAreRead() throws {
        #expect(try open(SafetensorsBytes.file(header: "{}", data: 0)).names == [])
        #expect(try open(SafetensorsBytes.file(header: #"{"__metadata__":{"a":"b"}}"#, data: 0)).names == [])
        let header =
            #"{"":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"#
            + #""\u00e9 \ud83c\udf31/\"":{"dtype":"I64","shape":[0,9223372036854775807,4],"data_offsets":[1,1]}}"#
        let file = try open(SafetensorsBytes.file(header: header, data: 1))
        #expect(file.names == ["", "é 🌱/\""])
        #expect(try file.tensor("é 🌱/\"").elementCount == 0)
    }

    /// Beside a zero no product overflows, in whatever order it is formed.
    @Test(arguments: ["[0,9223372036854775807,9]", "[9223372036854775807,9,0]", "[4294967296,4294967296,0,2]"])
    func emptyTensorsMayHaveHugeSizes(shape: String) throws {
        let file = try open(SafetensorsBytes.file(header: "{\(Self.tensor("w", "F32", shape, "[0,0]"))}", data: 0))
        let view = try file.tensor("w")
        #expect(view.elementCount == 0 && view.bytes.isEmpty)
        #expect(view.floats() == [])
    }

    /// Every type of the format, with the bytes that three (or eight) elements take.
    @Test(arguments: [
        ("F64", 8), ("F32", 4), ("F16", 2), ("BF16", 2), ("I64", 8), ("I32", 4), ("I16", 2), ("I8", 1), ("U64", 8),
        ("U32", 4), ("U16", 2), ("U8", 1), ("BOOL", 1), ("F8_E4M3", 1), ("F8_E5M2", 1), ("F8_E8M0", 1), ("C64", 8),
    ])
    func theSizeOfEveryTypeIsChecked(type: String, size: Int) throws {
        func header(_ bytes: Int) -> String { "{\(Self.tensor("w", type, "[3]", "[0,\(bytes)]"))}" }
        let file = try open(SafetensorsBytes.file(header: header(3 * size), data: 3 * size))
        #expect(file.information("w")?.bytes.count == 3 * size)
        if let dtype = file.information("w")?.dtype { #expect(dtype.byteCount == size) }
        for wrong in [3 * size - 1, 3 * size + 1] {
            let error = #expect(throws: CheckpointError.self) {
                try open(SafetensorsBytes.file(header: header(wrong), data: wrong))
            }
            let begin = 8 + header(wrong).utf8.count
            #expect(
                error?.description.contains(
                    "model.safetensors, tensor w, bytes \(begin)..<\(begin + wrong): expected \(3 * size) bytes for "
                        + "\(type) [3], found \(wrong).") == true)
        }
    }

    /// A message stays a message, whatever the header nests.
    @Test func hostileShapesMakeShortMessages() throws {
        var shape = "1"
        for _ in 0..<6 { shape = "[" + [String](repeating: shape, count: 8).joined(separator: ",") + "]" }
        let error = #expect(throws: CheckpointError.self) {
            try open(SafetensorsBytes.file(header: "{\(Self.tensor("w", "F32", shape))}", data: 8))
        }
        #expect((error?.description.count ?? .max) < 400)
        #expect(error?.description.contains("tensor w: expected shape as a list of sizes, found [[...], [...]") == true)
    }

    @Test(arguments: [
        ("{", 9), (#"{"w":}"#, 13), (#"{"w" 1}"#, 13), (#"{"w":nul}"#, 13), ("{\"w\u{1}\":1}", 11),
        (#"{"a":1}}"#, 15), (#"{"a":01}"#, 14), (#"{"a":"\x"}"#, 15),
        ("{\"a\":" + String(repeating: "[", count: 100), 13 + 63),
    ])
    func aHeaderThatIsNotJSONIsPointedAt(header: String, offset: Int) throws {
        let error = #expect(throws: CheckpointError.self) {
            try open(SafetensorsBytes.file(header: header, data: 0))
        }
        guard case .malformedJSON(_, let found, _, _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(found == offset, "\(header)")
    }
}
