import Checkpoint
import Tensors
import Testing

/// Damaged files of every quantized layout: an error that names the file, or matrices no larger than the file can hold.
/// The bytes lie where memory ends, so that one too many would end the process.
@Suite struct QuantizedFuzzTests {
    private static let fixtures = String(#filePath.dropLast("QuantizedFuzzTests.swift".count)) + "Fixtures/quantized/"

    @Test(arguments: QuantizedTests.layouts) func mutatedHeadersAreSurvived(_ layout: String) throws {
        let files = try ModelFiles.directory(Self.fixtures + layout)
        let original = try #require(try files.contents(of: "model.safetensors"))
        let config = try #require(try files.contents(of: "config.json"))
        let length = original[..<8].enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) }
        let rounds = FuzzRounds.count(1_250)
        var accepted = 0
        for seed in 0x0F00_0000..<0x0F00_0000 + rounds {
            var mutator = ByteMutator(seed: seed)
            let note = Comment(rawValue: "\(layout), seed \(seed)")
            var header = Array(original[8..<8 + length])
            var settings = config
            for _ in 0...mutator.below(2) {
                switch mutator.below(6) {
                case 0: mutator.damage(&header)
                case 1: mutator.lie(in: &settings)
                default: mutator.lie(in: &header)
                }
            }
            let field = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
            var contents = field + header + original[(8 + length)...]
            if mutator.below(2) == 0 { contents[8 + header.count + mutator.below(original.count - 8 - length)] ^= 0xFF }
            let weights = try GuardedBytes(contents)
            let guarded = try GuardedBytes(settings)
            if try Self.survives(guarded.bytes, weights.bytes, note) { accepted += 1 }
            withExtendedLifetime((weights, guarded)) {}
        }
        #expect(accepted > 20 && accepted < Int(rounds), "\(accepted) of \(rounds) accepted")
    }

    /// - Returns: whether the files were accepted.
    private static func survives(
        _ config: UnsafeRawBufferPointer, _ weights: UnsafeRawBufferPointer, _ note: Comment
    ) throws -> Bool {
        let files = ModelFiles.embedded(
            [("config.json", config), ("model.safetensors", weights)], description: "fuzzed")
        let opened = Result { () throws(CheckpointError) in try ModelDirectory.weights(files) }
        guard case .success(let source) = opened else {
            if case .failure(let error) = opened { #expect(error.description.contains("fuzzed"), note) }
            return false
        }
        for name in source.names {
            let information = try #require(source.information(name), note)
            // Two bits of a code become four bytes of float32.
            let elements = information.shape.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
            #expect(elements <= 16 * weights.count, note)
            let read = Result { () throws(CheckpointError) in try source.tensor(name) }
            if case .failure(let error) = read { #expect(error.description.contains("fuzzed"), note) }
            // As they are read to be packed: runs of rows, the last of them too.
            let coded = Result { () throws(CheckpointError) in try source.coded(name) }
            if case .success(let matrix?) = coded {
                #expect(matrix.groupOfInput.allSatisfy { $0 >= 0 && $0 < matrix.groups }, note)
                let count = min(3, matrix.outputs)
                let rows = CodedRows(matrix, count: count)
                matrix.read(from: matrix.outputs - count, into: rows)
                matrix.release(0..<matrix.outputs)
            }
        }
        return true
    }
}
