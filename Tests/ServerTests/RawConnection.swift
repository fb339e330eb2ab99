import NIOCore
import NIOPosix
import Synchronization

/// A TCP connection to the server under test: what is sent is exactly what the test says, and so is when it closes.
final class RawConnection: Sendable {
    struct TimedOut: Error, CustomStringConvertible {
        let seen: String
        var description: String { "timed out; received so far: \(seen)" }
    }

    private struct State {
        var bytes: [UInt8] = []
        var isClosed = false
    }

    private final class Collector: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer

        let state = Mutex(State())

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let buffer = unwrapInboundIn(data)
            state.withLock { $0.bytes += buffer.readableBytesView }
        }

        func channelInactive(context: ChannelHandlerContext) { state.withLock { $0.isClosed = true } }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    private let channel: any Channel
    private let collector: Collector

    /// - Parameter reads: false leaves everything in the kernel's buffer until `startReading`.
    init(port: Int, reads: Bool = true) async throws {
        let collector = Collector()
        var bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(ChannelOptions.autoRead, value: reads)
        if !reads { bootstrap = bootstrap.channelOption(ChannelOptions.socketOption(.so_rcvbuf), value: 4096) }
        channel =
            try await bootstrap
            .channelInitializer { $0.pipeline.addHandler(collector) }
            .connect(host: "127.0.0.1", port: port).get()
        self.collector = collector
    }

    var received: String { String(decoding: bytes, as: UTF8.self) }
    var bytes: [UInt8] { collector.state.withLock { $0.bytes } }
    var isClosed: Bool { collector.state.withLock { $0.isClosed } }

    func startReading() async throws { try await channel.setOption(ChannelOptions.autoRead, value: true).get() }

    func send(_ bytes: [UInt8]) async throws { try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get() }
    func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    func send(
        _ method: String, _ path: String, headers: [(String, String)] = [], body: [UInt8] = []
    ) async throws {
        var head = "\(method) \(path) HTTP/1.1\r\nHost: test\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        if !body.isEmpty { head += "Content-Type: application/json\r\nContent-Length: \(body.count)\r\n" }
        try await send(Array((head + "\r\n").utf8) + body)
    }

    func close() async { try? await channel.close().get() }

    /// Looks at what was received until `find` finds something.
    func wait<Found>(
        atMost limit: Duration = .seconds(60), _ find: ([UInt8], _ isClosed: Bool) -> Found?
    ) async throws -> Found {
        let deadline = ContinuousClock.now + limit
        while true {
            let (bytes, isClosed) = collector.state.withLock { ($0.bytes, $0.isClosed) }
            if let found = find(bytes, isClosed) { return found }
            guard ContinuousClock.now < deadline else { throw TimedOut(seen: received) }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    func wait(for text: String) async throws {
        try await wait { bytes, _ in String(decoding: bytes, as: UTF8.self).contains(text) ? () : nil }
    }

    func waitForClose() async throws { try await wait { _, isClosed in isClosed ? () : nil } }

    /// The next whole response; it is taken out of what was received.
    func response(toHead: Bool = false) async throws -> RawResponse {
        let (response, count) = try await wait { bytes, isClosed in
            RawResponse.parse(bytes, toHead: toHead, isClosed: isClosed)
        }
        collector.state.withLock { $0.bytes.removeFirst(count) }
        return response
    }
}
