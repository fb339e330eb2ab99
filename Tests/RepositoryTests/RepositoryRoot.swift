import Glibc

/// Reads the repository's own files, found from this file's path.
enum RepositoryRoot {
    static let path: String = {
        var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        parts.removeLast(3)
        return parts.joined(separator: "/")
    }()

    static func text(_ relative: String) -> String? { contents(path + "/" + relative) }

    /// Relative paths of all files below `folder` whose name ends in `suffix`, sorted.
    static func files(below folder: String, suffix: String) -> [String] {
        var found: [String] = []
        var folders = [folder]
        while let next = folders.popLast() {
            guard let directory = opendir(path + "/" + next) else { continue }
            defer { closedir(directory) }
            while let entry = readdir(directory) {
                let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                }
                if name.hasPrefix(".") { continue }
                let relative = next + "/" + name
                var status = stat()
                guard stat(path + "/" + relative, &status) == 0 else { continue }
                if status.st_mode & S_IFMT == S_IFDIR {
                    folders.append(relative)
                } else if name.hasSuffix(suffix) {
                    found.append(relative)
                }
            }
        }
        return found.sorted()
    }

    private static func contents(_ path: String) -> String? {
        guard let file = fopen(path, "rb") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { break }
            bytes.append(contentsOf: buffer[..<count])
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
