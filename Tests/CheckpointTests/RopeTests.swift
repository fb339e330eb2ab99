import Checkpoint
import Testing

/// Rotary embedding in the notations that published configurations use.
@Suite struct RopeTests {
    private func read(_ members: String, positions: Int = 8192) throws -> ModelConfig {
        let text = """
            {"vocab_size": 32, "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 1,
             "num_attention_heads": 4, "max_position_embeddings": \(positions), \(members)}
            """
        let directory = try TemporaryDirectory(["config.json": Array(text.utf8)])
        return try ModelConfig.read(ModelFiles.directory(directory.path))
    }

    private static let llama3 =
        #""factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192"#

    @Test func linearScalingStretchesTheContext() throws {
        for members in [
            #""rope_scaling": {"type": "linear", "factor": 4.0}"#,
            #""rope_scaling": {"rope_type": "linear", "factor": 4, "type": "yarn"}"#,
            #""rope_parameters": {"rope_type": "linear", "factor": 4, "rope_theta": 10000.0}"#,
            #""rope_scaling": null, "rope_parameters": {"rope_type": "linear", "factor": 4}"#,
        ] {
            let config = try read(members)
            #expect(config.rope == RopeParameters(theta: 10_000, scaling: .linear(factor: 4)), "\(members)")
            #expect(config.contextLength == 32_768, "\(members)")
        }
        // Both: the older wins, as in transformers 5.
        let both = #""rope_scaling": {"type": "linear", "factor": 2}, "rope_parameters": {"rope_type": "default"}"#
        #expect(try read(both).rope.scaling == .linear(factor: 2))
        // A factor beyond reason is no reason to trap.
        #expect(try read(#""rope_scaling": {"type": "linear", "factor": 1e308}"#).contextLength == 1 << 28)
    }

    @Test func llama3ScalingStatesTheContextAfterIt() throws {
        let expected = RopeScaling.llama3(factor: 8, lowFrequency: 1, highFrequency: 4, originalContext: 8192)
        let before5 = try read(
            #""rope_theta": 500000.0, "rope_scaling": {"rope_type": "llama3", \#(Self.llama3)}"#, positions: 131_072)
        let since5 = try read(
            #""rope_parameters": {"rope_theta": 500000.0, "rope_type": "llama3", \#(Self.llama3)}"#,
            positions: 131_072)
        #expect(before5.rope == RopeParameters(theta: 500_000, scaling: expected))
        #expect(since5.rope == before5.rope)
        #expect(before5.contextLength == 131_072 && since5.contextLength == 131_072)
    }

    @Test func yarnTakesTheLargerOfBothStatements() throws {
        let yarn = #""rope_scaling": {"rope_type": "yarn", "factor": 4, "original_max_position_embeddings": 32768}"#
        #expect(try read(yarn, positions: 32_768).contextLength == 131_072)
        #expect(try read(yarn, positions: 131_072).contextLength == 131_072)
        #expect(try read(yarn, positions: 262_144).contextLength == 262_144)
    }

    @Test func transformers5PutsThetaAndShareAmongTheParameters() throws {
        let config = try read(
            #""rope_parameters": {"rope_type": "default", "rope_theta": 1000000, "partial_rotary_factor": 0.5}"#)
        #expect(config.rope == RopeParameters(theta: 1_000_000, rotaryShare: 0.5))
        #expect(config.contextLength == 8192)
        #expect(try read(#""partial_rotary_factor": 0.25"#).rope == RopeParameters(theta: 10_000, rotaryShare: 0.25))
    }

    @Test(arguments: ["dynamic", "mrope", "ntk"])
    func otherKindsAreRefusedWithTheSupportedOnes(kind: String) throws {
        for key in ["rope_scaling", "rope_parameters"] {
            let error = #expect(throws: CheckpointError.self) {
                try read(#""\#(key)": {"rope_type": "\#(kind)", "factor": 2, "long_factor": [1.0]}"#)
            }
            let text = error?.description ?? ""
            #expect(
                text.contains(
                    "/config.json, \(key).rope_type: rope type \(kind) is not supported; "
                        + "supported are default, linear, llama3, longrope and yarn"))
            #expect(text.contains("reusing a prefix") == (kind == "dynamic"))
        }
    }

    @Test(arguments: [
        (#""rope_scaling": {"type": 1}"#, "rope_scaling.type: expected a string, found 1."),
        (#""rope_scaling": [1]"#, "rope_scaling: expected an object, found [1]."),
        (
            #""rope_scaling": {"type": "linear"}"#,
            "rope_scaling.factor: expected a number, as rope type linear needs it, found nothing."
        ),
        (
            #""rope_scaling": {"type": "linear", "factor": "4"}"#,
            #"rope_scaling.factor: expected a number from 1, found "4"."#
        ),
        (
            #""rope_parameters": {"rope_theta": -1}"#,
            "rope_parameters.rope_theta: expected a number above 0, found -1."
        ),
        (
            #""rope_parameters": {"rope_type": "yarn", "factor": 2, "original_max_position_embeddings": 0}"#,
            "rope_parameters.original_max_position_embeddings: expected a whole number from 1 to 268435456, found 0."
        ),
        (
            #""rope_parameters": {"rope_type": "yarn", "factor": 2, "truncate": 1}"#,
            "rope_parameters.truncate: expected true or false, found 1."
        ),
        (
            #""partial_rotary_factor": 1.5"#,
            "partial_rotary_factor: expected a number above 0, at most 1, found 1.5."
        ),
    ])
    func oddParametersAreNamedByTheirPath(members: String, message: String) throws {
        let error = #expect(throws: CheckpointError.self) { try read(members) }
        #expect(error?.description.hasSuffix("/config.json, " + message) == true, "\(error?.description ?? "")")
    }
}
