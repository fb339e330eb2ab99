/// What the files of sentence-transformers say about turning hidden states into one vector: `modules.json`, and the
/// `config.json` of each module's folder.
package struct SentenceModules: Sendable {
    /// How the states of a text's tokens become one.
    package enum Pooling: String, Sendable, Hashable {
        /// The first token's.
        case cls
        case mean
        /// Dimension by dimension.
        case max
        /// The sum over the root of the number of tokens.
        case meanSqrtLength = "mean_sqrt_len_tokens"
        /// The last token's.
        case last
    }

    /// A projection behind the pooling.
    package struct Dense: Sendable {
        package var inputs: Int
        package var outputs: Int
        package var hasBias: Bool
        /// Class name, such as `torch.nn.modules.activation.Tanh`.
        package var activation: String
        /// Holds `linear.weight` and `linear.bias`.
        package var files: ModelFiles
    }

    package var pooling: Pooling
    package var dense: [Dense]
    /// Vectors get length 1.
    package var normalizes: Bool
    /// Longest text in tokens that the model was made for; nil: not said.
    package var maximumTokens: Int?

    package init(pooling: Pooling, dense: [Dense], normalizes: Bool) {
        self.pooling = pooling
        self.dense = dense
        self.normalizes = normalizes
    }

    /// - Returns: nil if the model has no `modules.json`.
    /// - Throws: `malformedJSON`, `configuration` or `unsupported`, with the JSON path.
    package static func read(_ files: ModelFiles) throws(CheckpointError) -> SentenceModules? {
        guard let contents = try files.contents(of: "modules.json") else { return nil }
        let file = files.path(of: "modules.json")
        let parsed = contents.withUnsafeBytes { bytes in
            Result { () throws(CheckpointError) in try JSONReader.parse(bytes, file: file) }
        }
        guard case .array(let entries) = try parsed.get() else {
            throw .configuration(file: file, key: "$", expected: "a list of modules", found: "something else")
        }
        var result = SentenceModules(pooling: .mean, dense: [], normalizes: false)
        for (index, entry) in entries.enumerated() {
            guard let module = ConfigSection(entry, file: file), let type = try module.string("type") else {
                throw .configuration(file: file, key: "$[\(index)].type", expected: "a string", found: "nothing")
            }
            let path = try module.string("path") ?? ""
            func folder() throws(CheckpointError) -> (ModelFiles, ConfigSection) {
                guard let folder = try files.folder(path),
                    let config = try ConfigSection.read("config.json", of: folder)
                else { throw .missingFile(name: path + "/config.json", directory: files.description) }
                return (folder, config)
            }
            switch type.split(separator: ".").last {
            case "Transformer":
                guard index == 0, path.isEmpty else {
                    throw .unsupported(
                        file: file, key: "$[\(index)].path", found: "\"\(path)\"",
                        supported: "the transformer has to come first, in the model's own directory")
                }
            case "Pooling": result.pooling = try pooling(folder().1)
            case "Normalize": result.normalizes = true
            case "Dense":
                let (files, config) = try folder()
                result.dense.append(try dense(files, config))
            case "Dropout": break
            default:
                throw .unsupported(
                    file: file, key: "$[\(index)].type", found: type,
                    supported: "Transformer, Pooling, Dense, Normalize and Dropout are supported")
            }
        }
        if let section = try ConfigSection.read("sentence_bert_config.json", of: files) {
            result.maximumTokens = try section.integer("max_seq_length", in: 1...ModelConfig.largestContext)
        }
        return result
    }

    private static func pooling(_ config: ConfigSection) throws(CheckpointError) -> Pooling {
        if let name = try config.string("pooling_mode") {
            switch name {
            case "lasttoken": return .last
            case let name:
                guard let pooling = Pooling(rawValue: name) else {
                    throw .unsupported(
                        file: config.file, key: "pooling_mode", found: "\"\(name)\"", supported: supported)
                }
                return pooling
            }
        }
        let modes: [(key: String, pooling: Pooling?)] = [
            ("pooling_mode_cls_token", .cls), ("pooling_mode_mean_tokens", .mean), ("pooling_mode_max_tokens", .max),
            ("pooling_mode_mean_sqrt_len_tokens", .meanSqrtLength), ("pooling_mode_lasttoken", .last),
            ("pooling_mode_weightedmean_tokens", nil),
        ]
        var chosen: [(key: String, pooling: Pooling?)] = []
        for mode in modes where try config.boolean(mode.key) == true { chosen.append(mode) }
        if chosen.isEmpty { return .mean }
        guard chosen.count == 1, let pooling = chosen[0].pooling else {
            throw .unsupported(
                file: config.file, key: chosen[chosen.count - 1].key,
                found: chosen.map(\.key).joined(separator: " with "), supported: supported)
        }
        return pooling
    }

    private static let supported = "one of cls, mean, max, mean_sqrt_len and lasttoken is supported"

    private static func dense(_ files: ModelFiles, _ config: ConfigSection) throws(CheckpointError) -> Dense {
        Dense(
            inputs: try config.required("in_features", in: 1...(1 << 16)),
            outputs: try config.required("out_features", in: 1...(1 << 16)),
            hasBias: try config.boolean("bias") ?? true,
            activation: try config.string("activation_function") ?? "torch.nn.modules.activation.Tanh", files: files)
    }
}
