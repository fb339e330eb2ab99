import Checkpoint
import Glibc
import Testing

/// The files of sentence-transformers.
@Suite struct SentenceModulesTests {
    private static let transformer = #"{"idx": 0, "path": "", "type": "sentence_transformers.models.Transformer"}"#

    /// - Parameter pooling: the config of `1_Pooling`.
    private func read(_ modules: String, pooling: String? = nil, _ others: [String: [UInt8]] = [:]) throws
        -> SentenceModules?
    {
        let directory = try TemporaryDirectory(others)
        try directory.write("modules.json", Array(modules.utf8))
        let folder = directory.path + "/1_Pooling"
        if let pooling {
            mkdir(folder, 0o700)
            try directory.write("1_Pooling/config.json", Array(pooling.utf8))
        }
        defer { unlink(folder + "/config.json") }
        return try SentenceModules.read(ModelFiles.directory(directory.path))
    }

    @Test(arguments: [
        (#"{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}"#, SentenceModules.Pooling.cls),
        (#"{"pooling_mode_mean_tokens": true}"#, .mean), (#"{"pooling_mode_max_tokens": true}"#, .max),
        (#"{"pooling_mode_lasttoken": true}"#, .last), (#"{"pooling_mode": "lasttoken"}"#, .last),
        (#"{"pooling_mode_mean_sqrt_len_tokens": true}"#, .meanSqrtLength), ("{}", .mean),
    ])
    func poolingIsRead(config: String, pooling: SentenceModules.Pooling) throws {
        let list =
            "[\(Self.transformer), {\"path\": \"1_Pooling\", \"type\": \"x.Pooling\"}, {\"type\": \"x.Normalize\"}]"
        let found = try #require(
            try read(list, pooling: config, ["sentence_bert_config.json": Array(#"{"max_seq_length": 77}"#.utf8)]))
        #expect(found.pooling == pooling && found.normalizes && found.maximumTokens == 77)
    }

    @Test func whatDoesNotRunIsNamed() throws {
        func thrown(_ modules: String, pooling: String? = nil) throws -> String {
            do { return "\(String(describing: try read(modules, pooling: pooling)))" } catch let error
                as CheckpointError
            {
                return error.description
            }
        }
        let pooled = "[\(Self.transformer), {\"path\": \"1_Pooling\", \"type\": \"x.Pooling\"}]"
        #expect(try thrown(pooled).contains("1_Pooling/config.json"))
        #expect(
            try thrown(pooled, pooling: #"{"pooling_mode_cls_token": true, "pooling_mode_max_tokens": true}"#)
                .contains("pooling_mode_cls_token with pooling_mode_max_tokens"))
        #expect(try thrown(pooled, pooling: #"{"pooling_mode": "weightedmean"}"#).contains("weightedmean"))
        #expect(try thrown("[{\"type\": \"x.LSTM\"}]").contains("x.LSTM"))
        #expect(try thrown("[{\"path\": \"../up\", \"type\": \"x.Pooling\"}]").contains("../up"))
        #expect(try thrown("{}").contains("a list of modules"))
        #expect(try read(pooled, pooling: "{}")?.normalizes == false)
    }
}
