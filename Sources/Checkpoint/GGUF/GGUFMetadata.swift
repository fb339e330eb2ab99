/// Metadata of a GGUF model by its keys, and what follows from its architecture.
struct GGUFMetadata: Sendable {
    let file: MappedFile
    let architecture: GGUFArchitecture
    private let values: [String: GGUFValue]

    init(_ header: GGUFHeader, _ file: MappedFile) throws(CheckpointError) {
        self.file = file
        values = header.values
        guard case .string(let range)? = values["general.architecture"] else {
            throw .configuration(
                file: file.path, key: "general.architecture", expected: "a string", found: "nothing")
        }
        let name = Self.text(range, file)
        guard let architecture = GGUFArchitecture(rawValue: name) else {
            throw .unsupported(
                file: file.path, key: "general.architecture", found: "\"\(name)\"",
                supported: "GGUF files of "
                    + GGUFArchitecture.allCases.map(\.rawValue).joined(separator: ", ") + " are supported")
        }
        self.architecture = architecture
    }

    private static func text(_ range: Range<Int>, _ file: MappedFile) -> String {
        file.bytes(range).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    private func failure(_ key: String, _ expected: String) -> CheckpointError {
        .configuration(
            file: file.path, key: key, expected: expected, found: values[key] == nil ? "nothing" : "another value")
    }

    /// `{architecture}.{key}`
    func key(_ key: String) -> String { "\(architecture.rawValue).\(key)" }

    func integer(_ key: String) throws(CheckpointError) -> Int? {
        guard let value = values[key] else { return nil }
        guard case .integer(let integer) = value else { throw failure(key, "a whole number") }
        return integer
    }

    func required(_ key: String) throws(CheckpointError) -> Int {
        guard let integer = try integer(key) else { throw failure(key, "a whole number") }
        return integer
    }

    func number(_ key: String) throws(CheckpointError) -> Double? {
        switch values[key] {
        case nil: return nil
        case .float(let value)?: return value
        case .integer(let value)?: return Double(value)
        default: throw failure(key, "a number")
        }
    }

    func boolean(_ key: String) throws(CheckpointError) -> Bool? {
        guard let value = values[key] else { return nil }
        guard case .boolean(let boolean) = value else { throw failure(key, "true or false") }
        return boolean
    }

    func string(_ key: String) throws(CheckpointError) -> String? {
        guard let value = values[key] else { return nil }
        guard case .string(let range) = value else { throw failure(key, "a string") }
        return Self.text(range, file)
    }

    /// Places of an array's strings in the file.
    func strings(_ key: String) throws(CheckpointError) -> [Range<Int>]? {
        guard let value = values[key] else { return nil }
        switch value {
        case .strings(let ranges): return ranges
        case .integers(let none) where none.isEmpty: return []
        default: throw failure(key, "an array of strings")
        }
    }

    func integers(_ key: String) throws(CheckpointError) -> [Int]? {
        guard let value = values[key] else { return nil }
        guard case .integers(let integers) = value else { throw failure(key, "an array of whole numbers") }
        return integers
    }

    func floats(_ key: String) throws(CheckpointError) -> [Double]? {
        guard let value = values[key] else { return nil }
        switch value {
        case .floats(let floats): return floats
        case .integers(let integers): return integers.map(Double.init)
        default: throw failure(key, "an array of numbers")
        }
    }

    /// Heads of a matrix whose rows llama.cpp's converter interleaves: q and k of some architectures.
    func interleavedHeads(_ tensor: String) -> Int {
        guard architecture.interleavesHeads else { return 0 }
        let parts = tensor.split(separator: ".")
        guard parts.count == 4, parts[0] == "blk" else { return 0 }
        let heads: String
        switch parts[2] {
        case "attn_q": heads = "attention.head_count"
        case "attn_k": heads = "attention.head_count_kv"
        default: return 0
        }
        for key in [heads, "attention.head_count"] {
            if case .integer(let count)? = values[self.key(key)], count > 0, count < 1 << 20 { return count }
        }
        return 0
    }
}
