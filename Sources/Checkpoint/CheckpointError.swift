/// Why a checkpoint cannot be read, with the facts a person needs to mend it.
package enum CheckpointError: Error, Equatable, Sendable {
    /// The model path does not exist.
    case noSuchDirectory(path: String)
    /// The model path is a file.
    case notADirectory(path: String)
    /// The directory has no weights in a format that is read; `found` are those in other formats.
    case noWeights(directory: String, found: [String])
    case missingFile(name: String, directory: String)
    /// A system call failed; `code` is its errno.
    case system(file: String, operation: String, code: Int32)
    case tooLarge(file: String, bytes: Int, limit: Int)
    /// `offset` counts bytes from the start of the file.
    case malformedJSON(file: String, offset: Int, expected: String, found: String)
    /// The frame of a safetensors file: length field, header, trailing bytes.
    case malformedHeader(file: String, bytes: Range<Int>, expected: String, found: String)
    /// What the header says of one tensor; `bytes` is the tensor's range in the file, where it is known.
    case malformedTensor(file: String, tensor: String, bytes: Range<Int>?, expected: String, found: String)
    case unsupportedTensorType(file: String, tensor: String, type: String, supported: [String])
    case missingTensor(name: String, source: String)
    /// `model.safetensors.index.json`; `key` is the JSON path.
    case malformedIndex(file: String, key: String, expected: String, found: String)
    /// The index names shards that are not there.
    case missingShards(index: String, shards: [String])
    /// A value of `config.json` or `generation_config.json`; `key` is its JSON path.
    case configuration(file: String, key: String, expected: String, found: String)
    /// A setting that is understood but not supported.
    case unsupported(file: String, key: String, found: String, supported: String)
}

extension CheckpointError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noSuchDirectory(let path):
            "\(path): no such directory. Give the path of a Hugging Face model directory (config.json, tokenizer.json, "
                + "*.safetensors); models are not downloaded."
        case .notADirectory(let path):
            "\(path) is a file. Give the directory that holds config.json, tokenizer.json and *.safetensors."
        case .noWeights(let directory, let found) where found.contains { $0.hasSuffix(".safetensors") }:
            "\(directory) has \(found.joined(separator: ", ")), but neither model.safetensors nor "
                + "model.safetensors.index.json, which says what lies in which file. Fetch it into the same directory."
        case .noWeights(let directory, let found):
            "\(directory) has no model.safetensors or model.safetensors.index.json"
                + (found.isEmpty ? "." : "; \(found.joined(separator: ", ")) cannot be read.")
                + " Supported are safetensors weights: look for them beside these files, or convert with "
                + "transformers' save_pretrained."
        case .missingFile(let name, let directory): "\(directory) has no \(name)."
        case .system(let file, let operation, let code):
            "\(file): \(operation) failed: \(CheckpointError.systemText(code)) (errno \(code))."
        case .tooLarge(let file, let bytes, let limit):
            "\(file) has \(bytes) bytes; at most \(limit) are read."
        case .malformedJSON(let file, let offset, let expected, let found):
            "\(file), byte \(offset): expected \(expected), found \(found)."
        case .malformedHeader(let file, let bytes, let expected, let found):
            "\(file), bytes \(bytes.lowerBound)..<\(bytes.upperBound): expected \(expected), found \(found). "
                + "The file is damaged or incomplete: fetch it again."
        case .malformedTensor(let file, let tensor, let bytes, let expected, let found):
            "\(file), tensor \(tensor)\(bytes.map { ", bytes \($0.lowerBound)..<\($0.upperBound)" } ?? ""): "
                + "expected \(expected), found \(found). The file is damaged or incomplete: fetch it again."
        case .unsupportedTensorType(let file, let tensor, let type, let supported):
            "\(file), tensor \(tensor): type \(type) is not supported; supported are \(supported.joined(separator: ", "))."
        case .missingTensor(let name, let source): "\(source) has no tensor \(name)."
        case .malformedIndex(let file, let key, let expected, let found):
            "\(file), \(key): expected \(expected), found \(found)."
        case .missingShards(let index, let shards):
            "\(index) names shards that are not there: \(shards.joined(separator: ", ")). Fetch them into the same directory."
        case .configuration(let file, let key, let expected, let found):
            "\(file), \(key): expected \(expected), found \(found)."
        case .unsupported(let file, let key, let found, let supported):
            "\(file), \(key): \(found) is not supported; \(supported)."
        }
    }
}
