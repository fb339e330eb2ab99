import Checkpoint
import Tensors
import Testing

/// Published quantized layouts against their reference implementations; see Tools/make_quantized_goldens.py.
@Suite struct QuantizedTests {
    static let layouts = [
        "gptq-4bit", "gptq-v2", "awq-gemm", "compressed-integer", "fp8", "fp4", "modelopt", "bitsandbytes",
    ]
    private static let fixtures = String(#filePath.dropLast("QuantizedTests.swift".count)) + "Fixtures/quantized/"

    private static func bytes(_ layout: String, _ name: String) throws -> [UInt8] {
        try #require(try ModelFiles.directory(fixtures + layout).contents(of: name))
    }

    @Test(arguments: layouts) func matricesAreThoseOfTheReference(_ layout: String) throws {
        let files = try ModelFiles.directory(Self.fixtures + layout)
        let source = try ModelDirectory.weights(files)
        let expected = try SafetensorsFile(try #require(try files.mapped("expected.safetensors")))
        #expect(source.names == expected.names)
        for name in expected.names {
            let reference = try expected.tensor(name)
            let view = try source.tensor(name)
            #expect(view.shape == reference.shape && view.dtype == .float32)
            let information = try #require(source.information(name))
            #expect(information.shape == reference.shape && information.dtype == .float32)
            let values = try #require(view.floats())
            let wanted = try #require(reference.floats())
            // Scales of two levels may be multiplied in another order: one rounding of float32.
            let worst = zip(values, wanted).map { abs($0 - $1) / max(abs($1), .leastNormalMagnitude) }.max()
            #expect(try #require(worst) <= 0x1p-23, "\(layout) \(name)")
        }
    }

    @Test func matricesAreRoundedToTheModelsType() throws {
        let directory = try TemporaryDirectory([
            "model.safetensors": Self.bytes("gptq-4bit", "model.safetensors"),
            "config.json": Array(#"{"torch_dtype": "float16", "quantization_config": {"quant_method": "gptq"}}"#.utf8),
        ])
        let exact = try ModelDirectory.weights(ModelFiles.directory(Self.fixtures + "gptq-4bit"))
        let rounded = try ModelDirectory.weights(ModelFiles.directory(directory.path))
        let view = try rounded.tensor("four.weight")
        #expect(view.dtype == .float16)
        let values = try #require(exact.tensor("four.weight").floats())
        #expect(view.floats() == values.map { HalfFloats.rounded($0, to: .float16) })
    }

    /// Inputs are quantized only where the scheme says how, and not beside weights with groups.
    @Test func inputsAreQuantizedAsTheConfigurationSays() throws {
        func quantizes(_ inputs: String) throws -> [String: Bool] {
            let config = """
                {"quantization_config": {"quant_method": "compressed-tensors", "format": "int-quantized", "config_groups":
                {"group_0": {"targets": ["Linear"], "weights": {"num_bits": 8, "type": "int", "strategy": "channel"},
                "input_activations": \(inputs)}}}}
                """
            let directory = try TemporaryDirectory([
                "model.safetensors": Self.bytes("compressed-integer", "model.safetensors"),
                "config.json": Array(config.utf8),
            ])
            let source = try ModelDirectory.weights(ModelFiles.directory(directory.path))
            var found: [String: Bool] = [:]
            for name in source.names { found[name] = try source.coded(name)?.quantizesInputs }
            return found
        }
        let dynamic = #"{"num_bits": 8, "type": "int", "strategy": "token", "dynamic": true, "symmetric": true}"#
        #expect(
            try quantizes(dynamic)
                == ["symmetric.weight": false, "zeros.weight": false, "eight.weight": false, "int8.weight": true])
        for other in [
            "null", dynamic.replacing("true, \"sym", with: "false, \"sym"), dynamic.replacing("token", with: "tensor"),
            dynamic.replacing("8", with: "4"), dynamic.replacing("int", with: "float"),
            dynamic.replacing("\"symmetric\": true", with: "\"symmetric\": false"),
        ] {
            #expect(try quantizes(other)["int8.weight"] == false, "\(other)")
        }
    }

    /// Parts that a matrix may have or not.
    private static let optional = [".g_idx", ".weight_zero_point", ".input_scale"]

    /// Each part taken away: an error that names the matrix, or codes that stay what they are and are no weights.
    @Test(arguments: layouts) func missingPartsAreNamed(_ layout: String) throws {
        let contents = try Self.bytes(layout, "model.safetensors")
        let config = try Self.bytes(layout, "config.json")
        let whole = try #require(try ModelFiles.directory(Self.fixtures + layout).mapped("model.safetensors"))
        for name in try SafetensorsFile(whole).names where name != "plain.weight" {
            if Self.optional.contains(where: name.hasSuffix) { continue }
            let stem = String(name.prefix { $0 != "." })
            let directory = try TemporaryDirectory([
                "model.safetensors": try Self.renaming(name, in: contents), "config.json": config,
            ])
            let files = try ModelFiles.directory(directory.path)
            switch Result(catching: { () throws(CheckpointError) in try ModelDirectory.weights(files) }) {
            case .success(let source):
                let found = source.information(stem + ".weight")?.dtype
                #expect(found?.isFloatingPoint != true, "\(layout): without \(name)")
            case .failure(let error):
                #expect(error.description.contains("tensor \(stem)."), "\(layout), without \(name): \(error)")
            }
        }
    }

    /// Replaces the last letter of a name in the header.
    private static func renaming(_ name: String, in contents: [UInt8]) throws -> [UInt8] {
        let needle = Array("\"\(name)\"".utf8)
        var contents = contents
        let place = try #require(
            contents.indices.first { contents[$0...].starts(with: needle) })
        contents[place + needle.count - 2] = UInt8(ascii: "#")
        return contents
    }
}
