import Glibc

/// Runs the `radish` binary that was built beside the tests, as a user would.
enum Binary {
    struct Output {
        var status: Int32
        /// Standard output and standard error, in the order written.
        var text: String
    }

    /// - Parameter arguments: a shell command line, without the name of the binary.
    static func run(_ arguments: String, environment: String = "") -> Output {
        guard let stream = popen("\(environment) '\(path)' \(arguments) 2>&1 </dev/null", "r") else {
            return Output(status: -1, text: "popen failed")
        }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = fread(&buffer, 1, buffer.count, stream)
            if count == 0 { break }
            bytes.append(contentsOf: buffer[..<count])
        }
        let status = pclose(stream)
        return Output(status: (status >> 8) & 0xff, text: String(decoding: bytes, as: UTF8.self))
    }

    /// The folder of the test binary is that of all products.
    static let path: String = {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let own = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // swift-testing runs inside the test bundle itself or inside a helper of the toolchain.
        for candidate in [own] + CommandLine.arguments {
            var folder = candidate.split(separator: "/", omittingEmptySubsequences: false)
            while !folder.isEmpty {
                folder.removeLast()
                let path = (folder + ["radish"]).joined(separator: "/")
                if access(path, X_OK) == 0, !isDirectory(path) { return path }
            }
        }
        return "radish"
    }()

    /// A file of the repository, found from this file's path.
    static func repositoryText(_ relative: String) -> String? {
        let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        guard let file = fopen(root + "/" + relative, "rb") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    private static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// A file that lives until the process ends.
    static func temporaryFile(_ text: String, name: String) -> String {
        let path = "/tmp/radish-test-\(getpid())-\(name)"
        if let file = fopen(path, "wb") {
            fputs(text, file)
            fclose(file)
        }
        return path
    }
}
