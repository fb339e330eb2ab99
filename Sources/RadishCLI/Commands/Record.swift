import Advisor
import ArgumentParser
import FoundationEssentials
import Glibc
import LoadBench
import Synchronization
import WireTypes

struct Record: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Stand in front of a running server and record its traffic for `radish advise`, without its text.",
        discussion: """
            radish record --upstream http://127.0.0.1:8000 --port 8001 --output traffic.jsonl
            radish advise traffic.jsonl

            Stored are hashes of 64-byte blocks with a key that is never written down: what requests have in common can be
            told, what they say cannot. One file holds one run of this command.
            """)

    @Option(help: ArgumentHelp("The server that answers.", valueName: "url")) var upstream: String
    @Option(help: "Address to listen on.") var host = "127.0.0.1"
    @Option(help: "Port to listen on.") var port = 30080
    @Option(help: ArgumentHelp("JSONL file, added to.", valueName: "file")) var output = "traffic.jsonl"
    @Flag(name: .customLong("store-text"), help: "Store whole requests, so that `advise` can name what breaks sharing.")
    var storesText = false

    func run() async throws {
        do {
            guard upstream.hasPrefix("http://") || upstream.hasPrefix("https://") else {
                throw ValidationError("--upstream \(upstream): expected http://HOST:PORT.")
            }
            let file = try LineFile(output)
            let storesText = storesText
            let proxy = try await RecordingProxy.start(
                host: host, port: port, upstream: upstream, now: { Date.now.timeIntervalSince1970 }
            ) { exchange in
                guard exchange.status == 200 else { return }
                if let line = storesText ? Self.whole(exchange) : Self.hashed(exchange) { file.append(line) }
            }
            print("Recording \(upstream) to \(output). Point clients at http://\(host):\(proxy.port); Ctrl-C ends it.")
            StandardStreams.flush()
            try await proxy.waitForever()
        } catch let error as ValidationError {
            throw error
        } catch {
            throw CommandFailure(error)
        }
    }

    private static func hashed(_ exchange: RecordingProxy.Exchange) -> [UInt8]? {
        HashedRecord.line(
            body: exchange.requestBody, time: exchange.time, outputTokens: exchange.outputTokens)
    }

    private static func whole(_ exchange: RecordingProxy.Exchange) -> [UInt8]? {
        guard LogReader.read([exchange.requestBody]).requests.count == 1 else { return nil }
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("timestamp", exchange.time)
            writer.name("body")
            // Line breaks in the client's JSON would end the line.
            writer.value((try? JSONParser.parse(exchange.requestBody)) ?? .null)
            writer.objectField("response") { writer in
                writer.field("text", exchange.answer)
                writer.objectField("usage") { $0.field("completion_tokens", exchange.outputTokens) }
            }
        }
        return writer.bytes
    }
}

/// Lines added to a file, whole, from any thread.
private final class LineFile: Sendable {
    private let descriptor: Mutex<Int32>

    /// - Throws: `LoadBenchError` if the file cannot be opened.
    init(_ path: String) throws(LoadBenchError) {
        let opened = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard opened >= 0 else { throw .dataset(path: path, reason: "it cannot be written (error \(errno))") }
        descriptor = Mutex(opened)
    }

    deinit { _ = descriptor.withLock { close($0) } }

    func append(_ line: [UInt8]) {
        let bytes = line + [0x0A]
        descriptor.withLock { descriptor in
            var written = 0
            while written < bytes.count {
                let count = bytes[written...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
                if count <= 0 { return }
                written += count
            }
        }
    }
}
