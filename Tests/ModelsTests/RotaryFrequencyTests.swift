import Checkpoint
import FoundationEssentials
import Models
import Testing

/// Rotary tables of published settings, against transformers' own functions.
@Suite struct RotaryFrequencyTests {
    private struct Case: Decodable {
        var name: String
        var dimensions: Int
        var max_position_embeddings: Int
        var rope_parameters: [String: Value]
        var attention_factor: Float
        var inverse_frequencies: [Float]
    }

    private enum Value: Codable {
        case number(Double), text(String), flag(Bool)

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let flag = try? container.decode(Bool.self) {
                self = .flag(flag)
            } else if let number = try? container.decode(Double.self) {
                self = .number(number)
            } else {
                self = .text(try container.decode(String.self))
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .number(let number): try container.encode(number)
            case .text(let text): try container.encode(text)
            case .flag(let flag): try container.encode(flag)
            }
        }
    }

    /// Through config.json, in the notation of transformers 5 and of 4.
    @Test(arguments: [false, true]) func frequenciesAreThoseOfTransformers(oldNotation: Bool) throws {
        let files = try ModelFiles.directory(GoldenModel.fixtures)
        let cases = try JSONDecoder().decode(
            [Case].self, from: Data(#require(try files.contents(of: "rotary.json"))))
        #expect(cases.count == 7)
        for item in cases {
            let encoded = try JSONEncoder().encode(item.rope_parameters)
            var rope = "\"rope_parameters\": \(String(decoding: encoded, as: UTF8.self))"
            if oldNotation {
                guard case .number(let theta)? = item.rope_parameters["rope_theta"] else { continue }
                let rest = item.rope_parameters.filter { $0.key != "rope_theta" }
                let scaling = try String(decoding: JSONEncoder().encode(rest), as: UTF8.self)
                rope = "\"rope_theta\": \(theta), \"rope_scaling\": \(scaling)"
            }
            let config = try TestConfiguration.files(
                "\"max_position_embeddings\": \(item.max_position_embeddings), \(rope)")
            let parameters = try ModelConfig.read(config).rope
            let found = RotaryFrequencies(parameters, dimensions: item.dimensions)
            #expect(abs(found.amplitude - item.attention_factor) <= 1e-6, "\(item.name)")
            #expect(found.frequencies.count == item.inverse_frequencies.count)
            for (a, b) in zip(found.frequencies, item.inverse_frequencies) {
                #expect(abs(a - b) <= 3e-7 * abs(b), "\(item.name): \(a), expected \(b)")
            }
        }
    }

    @Test func contextLengthFollowsTheScaling() throws {
        func length(_ rope: String, positions: Int) throws -> Int {
            try ModelConfig.read(
                TestConfiguration.files("\"max_position_embeddings\": \(positions), \"rope_scaling\": \(rope)")
            ).contextLength
        }
        #expect(try length("null", positions: 4096) == 4096)
        #expect(try length(#"{"type": "linear", "factor": 2.5}"#, positions: 4096) == 10240)
        let yarn = #"{"rope_type": "yarn", "factor": 4, "original_max_position_embeddings": 32768}"#
        #expect(try length(yarn, positions: 32768) == 131072)
        #expect(try length(yarn, positions: 131072) == 131072)
        let llama =
            #"{"rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4, "#
            + #""original_max_position_embeddings": 8192}"#
        #expect(try length(llama, positions: 131072) == 131072)
    }
}
