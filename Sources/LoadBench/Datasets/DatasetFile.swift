import FoundationEssentials

/// Reading files of datasets and results.
package enum DatasetFile {
    package static func bytes(_ path: String) throws(LoadBenchError) -> [UInt8] {
        do {
            return Array(try Data(contentsOf: URL(filePath: path)))
        } catch {
            throw .dataset(path: path, reason: "it cannot be read (\(error))")
        }
    }

    /// Non-empty lines.
    package static func lines(_ bytes: [UInt8]) -> [[UInt8]] {
        bytes.split(separator: 0x0A).map(Array.init).filter { line in line.contains { $0 > 0x20 } }
    }

    /// - Throws: `LoadBenchError` if the file cannot be written.
    package static func write(_ bytes: [UInt8], to path: String) throws(LoadBenchError) {
        do {
            try Data(bytes).write(to: URL(filePath: path))
        } catch {
            throw .dataset(path: path, reason: "it cannot be written (\(error))")
        }
    }

    /// Adds one line to a file, which is made if it is not there.
    package static func append(line: [UInt8], to path: String) throws(LoadBenchError) {
        let old = FileManager.default.fileExists(atPath: path) ? try bytes(path) : []
        try write(old + line + [0x0A], to: path)
    }
}
