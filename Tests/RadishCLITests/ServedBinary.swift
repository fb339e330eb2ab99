import Glibc

/// `radish serve` as a process of its own, on a free port, with the demo model.
final class ServedBinary {
    private(set) var port = 0
    private var process: pid_t = 0
    private let logPath: String

    /// - Parameters:
    ///   - arguments: a shell command line behind `radish serve --port 0`.
    ///   - before: shell commands that set limits for the server.
    ///   - binary: a copy of the program; nil: the one that was built.
    init?(_ arguments: String, before: String = "", binary: String? = nil) {
        logPath = "/tmp/radish-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).log"
        let command = "\(before) exec '\(binary ?? Binary.path)' serve --port 0 \(arguments) >'\(logPath)' 2>&1"
        var words: [UnsafeMutablePointer<CChar>?] = ["/bin/sh", "-c", command].map { (word: String) in
            strdup(word)
        }
        defer { for word in words { free(word) } }
        words.append(nil)
        guard posix_spawn(&process, "/bin/sh", nil, nil, &words, environ) == 0 else { return nil }
        for _ in 0..<1200 {
            if let port = readyPort() {
                self.port = port
                return
            }
            if waitpid(process, nil, WNOHANG) != 0 {
                process = 0
                return nil
            }
            usleep(50_000)
        }
        return nil
    }

    deinit {
        kill(SIGKILL)
        unlink(logPath)
    }

    func kill(_ signal: Int32) {
        guard process > 0 else { return }
        Glibc.kill(process, signal)
        waitpid(process, nil, 0)
        process = 0
    }

    /// Everything that the server has written.
    var log: String {
        guard let file = fopen(logPath, "rb") else { return "" }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 18)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    /// Waits until the log says so.
    func says(_ text: String) -> Bool {
        for _ in 0..<200 {
            if log.contains(text) { return true }
            usleep(50_000)
        }
        return false
    }

    private func readyPort() -> Int? {
        guard let line = log.firstRange(of: "ready to roll! http://127.0.0.1:") else { return nil }
        return Int(log[line.upperBound...].prefix { $0.isNumber })
    }

    /// What `/generate` answers for token ids, greedily.
    func generate(_ ids: [Int32], tokens: Int = 8) -> (output: [Int], cached: Int)? {
        let body =
            #"{"input_ids":\#(ids),"sampling_params":{"temperature":0,"max_new_tokens":\#(tokens),"ignore_eos":true}}"#
        let answer = post("/generate", body)
        guard let output = Self.numbers(after: #""output_ids":["#, in: answer),
            let cached = Self.numbers(after: #""cached_tokens":"#, in: answer)?.first
        else { return nil }
        return (output, cached)
    }

    /// The whole answer, header included.
    func post(_ path: String, _ body: String) -> String {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard connected else { return "" }
        let request = Array(
            ("POST \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                + "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)").utf8)
        var sent = 0
        while sent < request.count {
            let count = request[sent...].withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, 0) }
            if count <= 0 { return "" }
            sent += count
        }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count <= 0 { break }
            answer += buffer[..<count]
        }
        return String(decoding: answer, as: UTF8.self)
    }

    private static func numbers(after key: String, in text: String) -> [Int]? {
        let dense = text.filter { $0 != " " }
        guard let start = dense.firstRange(of: key)?.upperBound else { return nil }
        return dense[start...].prefix { $0.isNumber || $0 == "," }.split(separator: ",").compactMap { Int($0) }
    }
}
