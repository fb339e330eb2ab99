package import Tensors

/// Why a readable checkpoint is not a model that runs here.
package enum ModelError: Error, Equatable, Sendable {
    /// `nearest` is the supported name most like the one found.
    case unsupportedArchitecture(file: String, found: [String], supported: [String], nearest: String)
    /// `key` is the JSON path in `config.json`.
    case unsupportedSetting(file: String, key: String, found: String, supported: String)
    case missingTensors(source: String, names: [String])
    /// `bytes` is where the tensor lies in the file.
    case wrongShape(tensor: String, file: String, bytes: Range<Int>, expected: [Int], found: [Int])
    case unsupportedTensorType(tensor: String, file: String, found: String, supported: [String])
    /// Tensors that would change the result and that the architecture has no place for.
    case unexpectedTensors(source: String, names: [String])
    /// A weight is too large for the type that it should be converted to.
    case doesNotFit(tensor: String, value: Float, dtype: DType)
}

extension ModelError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unsupportedArchitecture(let file, let found, let supported, let nearest):
            "\(file), architectures: \(found.isEmpty ? "nothing" : found.joined(separator: ", ")) is not supported; "
                + "supported are \(supported.joined(separator: ", ")). The nearest is \(nearest)."
        case .unsupportedSetting(let file, let key, let found, let supported):
            "\(file), \(key): \(found) is not supported; \(supported)."
        case .missingTensors(let source, let names):
            "\(source) lacks \(names.count == 1 ? "a tensor" : "\(names.count) tensors") that config.json asks for: "
                + "\(Self.list(names))."
        case .wrongShape(let tensor, let file, let bytes, let expected, let found):
            "\(file), tensor \(tensor), bytes \(bytes.lowerBound)..<\(bytes.upperBound): config.json asks for shape "
                + "\(expected), found \(found)."
        case .unsupportedTensorType(let tensor, let file, let found, let supported):
            "\(file), tensor \(tensor): type \(found) is not supported; supported are "
                + "\(supported.joined(separator: ", "))."
        case .unexpectedTensors(let source, let names):
            "\(source) has tensors that this architecture does not use, but that would change its result: "
                + "\(Self.list(names))."
        case .doesNotFit(let tensor, let value, let dtype):
            "tensor \(tensor) holds \(value), which \(dtype.rawValue) cannot hold; choose another --dtype."
        }
    }

    private static func list(_ names: [String]) -> String {
        names.count <= 6 ? names.joined(separator: ", ") : names.prefix(5).joined(separator: ", ") + ", ..."
    }
}
