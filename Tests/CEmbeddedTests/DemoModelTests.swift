import CEmbedded
import Testing

/// The binary carries the files of Models/demo whole.
struct DemoModelTests {
    @Test func allFilesOfAModelDirectoryAreThere() {
        let names = (0..<cembedded_demo_model_count()).map { String(cString: cembedded_demo_model_file($0).name) }
        #expect(
            names.sorted() == [
                "config.json", "generation_config.json", "model.safetensors", "tokenizer.json",
                "tokenizer_config.json",
            ])
    }

    @Test func weightsAreOneWholeSafetensorsFile() throws {
        let file = try #require(
            (0..<cembedded_demo_model_count()).map(cembedded_demo_model_file)
                .first { String(cString: $0.name) == "model.safetensors" })
        let bytes = UnsafeRawBufferPointer(start: file.bytes, count: file.count)
        #expect(Int(bitPattern: file.bytes) % 64 == 0)
        let header = Int(UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self)))
        #expect(header > 2 && header < bytes.count - 8)
        #expect(bytes[8] == UInt8(ascii: "{"))
        let json = String(decoding: bytes[8..<8 + header], as: UTF8.self)
        // The last tensor ends where the file ends.
        let ends = json.matches(of: /"data_offsets":\[\d+,(\d+)\]/).compactMap { Int($0.1) }
        #expect(ends.max() == bytes.count - 8 - header)
    }
}
