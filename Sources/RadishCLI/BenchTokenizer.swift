import Checkpoint
import FoundationEssentials
import LoadBench
import Radish
import TextGeneration
import Tokenizers
import WireTypes

/// The tokenizer of the model behind a server, from this machine's files.
enum BenchTokenizer {
    /// Looks in `--tokenizer`, then `--model`, then where the server says its model is.
    static func codec(
        tokenizer: String?, model: String?, client: LoadClient, backend: ServingBackend
    ) async throws -> PromptCodec {
        if let tokenizer { return try codec(.directory(tokenizer)) }
        if let model, FileManager.default.fileExists(atPath: model + "/tokenizer.json") {
            return try codec(.directory(model))
        }
        var found: [String] = []
        if backend.hasServerInfo, case .object(let object)? = await client.json("/server_info") {
            for name in ["tokenizer_path", "model_path"] {
                if case .string(let path)? = object[name] { found.append(path) }
            }
        }
        for path in found {
            if path == ModelSource.demo.name { return try codec(.demo) }
            if FileManager.default.fileExists(atPath: path + "/tokenizer.json") { return try codec(.directory(path)) }
        }
        let seen = found.isEmpty ? "the server does not say where its model is" : "\(found[0]) is not on this machine"
        throw LoadBenchError.option(
            flag: "--tokenizer", reason: "\(seen); give a directory with the model's tokenizer.json")
    }

    static func codec(_ source: ModelSource) throws -> PromptCodec {
        let files = try source.files()
        let assets = try ModelAssets(files: files, tokenizerFiles: files)
        let tokenizer = assets.tokenizer
        return PromptCodec(
            vocabularySize: tokenizer.vocabularySize,
            addedTokens: tokenizer.encode("", addSpecialTokens: true).count,
            specialIDs: Set(tokenizer.specialTokenIDs),
            encode: { tokenizer.encode($0, addSpecialTokens: false) },
            decode: { tokenizer.decode($0, skipSpecialTokens: false) },
            renderChat: { try? PromptBuilder.text(of: Conversation(user: $0).prompt, assets: assets) })
    }
}
