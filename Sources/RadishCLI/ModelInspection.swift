import Checkpoint
import EngineInterface
import Models
import Radish
import TextGeneration
import Tokenizers

/// What a model's files hold, found by their headers: nothing is loaded.
struct ModelInspection {
    /// Tensors of one kind in all layers.
    struct Group {
        var name: String
        var tensors = 0
        var parameters = 0
        var bytes = 0
        /// In memory, as far as the model uses the tensors.
        var servedBytes = 0
        /// Stored types and schemes of quantization, with the number of tensors.
        var types: [String: Int] = [:]
    }

    let architecture: String
    let groups: [Group]
    let fileDescription: String

    /// - Throws: what is wrong with the files.
    /// - Parameter served: what the weights become in memory; nil where that is not known.
    init(_ files: ModelFiles, served: WeightFootprint?) throws {
        let identity = try ModelIdentity.read(files)
        architecture = identity.architectures.first ?? identity.modelType ?? "unknown"
        let source = try ModelLoader.source(files)
        fileDescription = source.description
        var groups: [String: Group] = [:]
        for name in source.names {
            guard let tensor = source.information(name) else { continue }
            let key = Self.group(name)
            var group = groups[key] ?? Group(name: key)
            group.tensors += 1
            group.parameters += tensor.shape.reduce(1, *)
            group.bytes += tensor.bytes.count
            group.servedBytes += served?.bytes[name] ?? served?.bytes["model." + name] ?? 0
            group.types[tensor.typeName, default: 0] += 1
            groups[key] = group
        }
        self.groups = groups.values.sorted { $0.name < $1.name }
    }

    var parameters: Int { groups.reduce(0) { $0 + $1.parameters } }
    var servedBytes: Int { groups.reduce(0) { $0 + $1.servedBytes } }
    var bytes: Int { groups.reduce(0) { $0 + $1.bytes } }

    /// The module without the numbers of layers and experts and without the tensor's own name:
    /// `model.layers.*.self_attn.q_proj`.
    static func group(_ name: String) -> String {
        let parts = name.split(separator: ".")
        return parts.dropLast(parts.count > 1 ? 1 : 0).map { Int($0) == nil ? String($0) : "*" }.joined(separator: ".")
    }

    /// How the tokenizer and the template of a model read.
    static func texts(_ model: ModelOptions) -> [(name: String, value: String)] {
        do {
            let files = try EngineStart.source(model).files()
            let tokenizerFiles = try model.tokenizerPath.map { try ModelFiles.at($0) } ?? files
            guard let json = try tokenizerFiles.contents(of: "tokenizer.json") else {
                return [("tokenizer", "none: \(tokenizerFiles.description) has no tokenizer.json")]
            }
            let tokenizer = try Tokenizer(json: json)
            var rows = [
                (
                    "tokenizer",
                    "\(tokenizer.algorithm), \(tokenizer.vocabularySize) ids, \(tokenizer.specialTokenIDs.count) special"
                )
            ]
            let assets = try EngineStart.assets(model)
            let template =
                assets.chatTemplate == nil
                ? "none" : assets.templateShowsTools ? "chat, with tools" : "chat, without tools"
            rows.append(("template", template))
            return rows
        } catch {
            return [("tokenizer", "unusable: \(ErrorText.describe(error))")]
        }
    }
}
