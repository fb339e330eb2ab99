import ArgumentParser
import LoadBench

/// For measuring clients, ours and others; not in the list of commands.
struct BenchNullServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "null-server",
        abstract: "Serve tokens without a model, at a fixed pace, to measure what a client can take.",
        shouldDisplay: false)

    @Option(help: "Address to listen on.") var host = "127.0.0.1"
    @Option(help: "Port to listen on.") var port = 30000
    @Option(name: .customLong("ttft-us"), help: ArgumentHelp("Before the first token.", valueName: "us"))
    var firstToken = 0
    @Option(name: .customLong("itl-us"), help: ArgumentHelp("Between two tokens.", valueName: "us"))
    var token = 0
    @Option(help: "Threads that write.") var threads = 1

    func run() async throws {
        do {
            let server = try await NullServer.start(
                host: host, port: port,
                pace: .init(firstTokenMicroseconds: firstToken, tokenMicroseconds: token), threads: max(1, threads))
            print("The null server listens on \(host):\(server.port)")
            StandardStreams.flush()
            try await server.waitForever()
        } catch {
            throw CommandFailure(error)
        }
    }
}
