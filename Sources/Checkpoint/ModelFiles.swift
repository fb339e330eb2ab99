import Glibc

/// The named files of a model, in a directory or inside the binary: the one door through which weights, configuration,
/// tokenizer and template are read.
package struct ModelFiles: Sendable {
    /// The directory, or what the embedded files are; for messages.
    package let description: String
    /// Sorted. Of a directory: its regular files (links followed), read once.
    package let names: [String]
    private let storage: Storage

    private enum Storage: Sendable {
        case directory
        case embedded([String: MappedFile])
        case gguf(GGUFFile, [String: MappedFile])
    }

    /// Whole files are read up to this size (the largest published tokenizer.json has some 40 MB); weights are mapped.
    package static let largestContents = 256 << 20

    /// What a person points at: a model directory, a GGUF file (of a split model: its first part), or a directory with
    /// one GGUF model and no `config.json`.
    ///
    /// - Throws: as `directory` and `gguf`.
    package static func at(_ path: String) throws(CheckpointError) -> ModelFiles {
        if path.hasSuffix(".gguf"), fileKind(path) == S_IFREG { return try gguf(path) }
        let files = try directory(path)
        let models = files.names.filter { $0.hasSuffix(".gguf") && GGUFSplit($0)?.index ?? 1 == 1 }
        guard !files.contains("config.json"), models.count == 1 else { return files }
        return try gguf(files.path(of: models[0]))
    }

    /// A GGUF model as the Hugging Face files it was made from.
    ///
    /// - Throws: what is wrong with a file, `missingShards`, `configuration` or `unsupported`.
    package static func gguf(_ path: String) throws(CheckpointError) -> ModelFiles {
        let parts = try GGUFSplit(path)?.allParts(of: path) ?? [path]
        var mapped: [MappedFile] = []
        for part in parts { mapped.append(try MappedFile(path: part)) }
        let model = try GGUFFile(mapped)
        let vocabulary = try GGUFVocabulary(model.metadata)
        let made = [
            "config.json": try GGUFConfig.json(model), "tokenizer.json": try vocabulary.tokenizerJSON(),
            "tokenizer_config.json": try vocabulary.tokenizerConfigJSON(),
        ]
        var files: [String: MappedFile] = [:]
        for (name, contents) in made {
            files[name] = MappedFile(name: "\(name) (made from \(path))", contents: contents)
        }
        return ModelFiles(description: path, names: made.keys.sorted(), storage: .gguf(model, files))
    }

    /// The weights, where they are no file among `names`.
    var ggufWeights: GGUFFile? {
        if case .gguf(let model, _) = storage { model } else { nil }
    }

    /// - Throws: `noSuchDirectory`, `notADirectory`, or `system` if the directory cannot be read.
    package static func directory(_ path: String) throws(CheckpointError) -> ModelFiles {
        var path = path
        while path.count > 1 && path.hasSuffix("/") { path.removeLast() }
        guard let kind = fileKind(path) else {
            if errno == ENOENT || errno == ENOTDIR { throw .noSuchDirectory(path: path) }
            throw .system(file: path, operation: "stat", code: errno)
        }
        guard kind == S_IFDIR else { throw .notADirectory(path: path) }
        guard let stream = opendir(path) else { throw .system(file: path, operation: "opendir", code: errno) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if fileKind(path + "/" + name) == S_IFREG { names.append(name) }
        }
        return ModelFiles(description: path, names: names.sorted(), storage: .directory)
    }

    /// - Precondition: the bytes stay valid and unchanged as long as the process lives.
    package static func embedded(
        _ files: [(name: String, bytes: UnsafeRawBufferPointer)], description: String
    ) -> ModelFiles {
        var mapped: [String: MappedFile] = [:]
        for (name, bytes) in files { mapped[name] = MappedFile(name: "\(name) (\(description))", constant: bytes) }
        return ModelFiles(description: description, names: mapped.keys.sorted(), storage: .embedded(mapped))
    }

    package func contains(_ name: String) -> Bool { names.contains(name) }

    /// A directory inside a model directory; nil if there is none, or the name would lead out of it.
    /// - Throws: `system` if the directory cannot be read.
    package func folder(_ name: String) throws(CheckpointError) -> ModelFiles? {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard case .directory = storage, parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else {
            return nil
        }
        guard Self.fileKind(path(of: name)) == S_IFDIR else { return nil }
        return try .directory(path(of: name))
    }

    /// How messages name one of the files.
    package func path(of name: String) -> String {
        switch storage {
        case .directory: description == "/" ? "/" + name : description + "/" + name
        case .embedded: "\(name) (\(description))"
        case .gguf: "\(name) (made from \(description))"
        }
    }

    /// The file without copying it; nil if there is none of that name. A name is one of `names`, never a path.
    /// - Throws: `system` if it cannot be opened or mapped.
    package func mapped(_ name: String) throws(CheckpointError) -> MappedFile? {
        guard contains(name) else { return nil }
        switch storage {
        case .directory: return try MappedFile(path: path(of: name))
        case .embedded(let files), .gguf(_, let files): return files[name]
        }
    }

    /// The whole file, copied; nil if there is none of that name.
    /// - Throws: `system` if it cannot be read, `tooLarge` beyond `largestContents`.
    package func contents(of name: String) throws(CheckpointError) -> [UInt8]? {
        guard let file = try mapped(name) else { return nil }
        guard file.count <= Self.largestContents else {
            throw .tooLarge(file: file.path, bytes: file.count, limit: Self.largestContents)
        }
        return withExtendedLifetime(file) { file.bytes(0..<file.count).map { [UInt8]($0) } }
    }

    /// What tells the files of weights and their configuration from any other: path, size, time of the last change and
    /// number on its device of each. Nil for a model that is not in files.
    package func identity() -> String? {
        var paths: [String]
        switch storage {
        case .embedded: return nil
        case .directory:
            paths = names.filter { $0 == "config.json" || $0.hasSuffix(".safetensors") || $0.hasSuffix(".gguf") }
                .map(path(of:))
        case .gguf(let model, _): paths = model.paths
        }
        var lines: [String] = []
        for path in paths {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            let time = status.st_mtim
            lines.append("\(path) \(status.st_size) \(time.tv_sec).\(time.tv_nsec) \(status.st_dev):\(status.st_ino)")
        }
        return lines.joined(separator: "\n")
    }

    /// The file type bits of a path, links followed; nil with errno set if there is nothing.
    private static func fileKind(_ path: String) -> mode_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
    }
}
