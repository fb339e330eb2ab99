import Glibc

/// A real Redis (or Valkey) server of the test's own, on a free port of the loopback, without persistence.
final class RedisServer {
    let port: Int
    private var process: pid_t = 0

    /// Nil, with a line that says so, if no server is installed.
    init?(arguments: [String] = []) {
        guard let program = Self.program() else {
            print("SKIPPED: neither redis-server nor valkey-server is installed")
            return nil
        }
        guard let port = Self.freePort() else { return nil }
        self.port = port
        let words =
            [
                program, "--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--logfile",
                "/dev/null",
            ] + arguments
        guard start(program, words) else { return nil }
    }

    deinit { kill() }

    /// Ends the server at once.
    func kill() {
        guard process > 0 else { return }
        Glibc.kill(process, SIGKILL)
        waitpid(process, nil, 0)
        process = 0
    }

    /// It goes on listening, and answers nothing.
    func freeze() { Glibc.kill(process, SIGSTOP) }
    func thaw() { Glibc.kill(process, SIGCONT) }

    /// Starts it again on the same port, empty.
    func restart() -> Bool {
        guard let program = Self.program() else { return false }
        return start(
            program, [program, "--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--logfile", "/dev/null"])
    }

    private func start(_ program: String, _ words: [String]) -> Bool {
        var pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        defer { for pointer in pointers { free(pointer) } }
        pointers.append(nil)
        guard posix_spawn(&process, program, nil, nil, pointers, environ) == 0 else { return false }
        for _ in 0..<500 {
            if isListening() { return true }
            usleep(10_000)
        }
        return false
    }

    private func isListening() -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        return Self.withAddress(port) { connect(descriptor, $0, $1) == 0 }
    }

    private static func program() -> String? {
        let folders = getenv("PATH").map { String(cString: $0).split(separator: ":").map(String.init) } ?? []
        let paths = (folders + ["/usr/bin", "/usr/local/bin"]).flatMap {
            ["\($0)/redis-server", "\($0)/valkey-server"]
        }
        return paths.first { access($0, X_OK) == 0 }
    }

    static func freePort() -> Int? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        guard withAddress(0, { bind(descriptor, $0, $1) == 0 }) else { return nil }
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
        }
        return status == 0 ? Int(UInt16(bigEndian: address.sin_port)) : nil
    }

    private static func withAddress(_ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Bool) -> Bool {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
