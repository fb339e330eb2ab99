import Glibc

/// Names of the parts of a model that llama.cpp split: `NAME-00001-of-00003.gguf`.
struct GGUFSplit {
    /// From 1.
    let index: Int
    let count: Int
    private let stem: Substring

    /// Nil for a name of another form.
    init?(_ path: String) {
        guard let match = path.wholeMatch(of: /(.*)-(\d{5})-of-(\d{5})\.gguf/), let index = Int(match.2),
            let count = Int(match.3), index >= 1, index <= count
        else { return nil }
        self.index = index
        self.count = count
        stem = match.1
    }

    /// - Throws: `missingShards`; `unsupported` if the path is not the first part.
    func allParts(of path: String) throws(CheckpointError) -> [String] {
        guard index == 1 else {
            throw .unsupported(
                file: path, key: "split", found: "part \(index) of \(count) as the model",
                supported: "give the first part, \(name(1))")
        }
        let parts = (1...count).map(name)
        let missing = parts.filter { access($0, F_OK) != 0 }
        guard missing.isEmpty else { throw .missingShards(index: path, shards: missing) }
        return parts
    }

    private func name(_ part: Int) -> String {
        func digits(_ number: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, 5 - text.count)) + text
        }
        return "\(stem)-\(digits(part))-of-\(digits(count)).gguf"
    }
}
