import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix

/// Stands between clients and a server, passes everything through as it comes, and tells of each exchange.
package struct RecordingProxy: Sendable {
    /// One finished exchange.
    package struct Exchange: Sendable {
        package var path: String
        package var requestBody: [UInt8]
        package var status: Int
        /// Seconds since 1970, of the request's arrival.
        package var time: Double
        /// As the answer tells, or its streamed pieces counted.
        package var outputTokens: Int?
        package var answer: String
    }

    package let port: Int
    private let channel: any Channel
    private let group: MultiThreadedEventLoopGroup
    private let client: HTTPClient

    /// - Parameters:
    ///   - upstream: base URL of the server.
    ///   - now: seconds since 1970.
    ///   - record: called once for each exchange, on any thread.
    package static func start(
        host: String, port: Int, upstream: String, now: @escaping @Sendable () -> Double,
        record: @escaping @Sendable (Exchange) -> Void
    ) async throws -> RecordingProxy {
        var base = upstream
        while base.hasSuffix("/") { base.removeLast() }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        var configuration = HTTPClient.Configuration()
        configuration.httpVersion = .http1Only
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1 << 16
        let client = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
        let target = base
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(
                        ProxyHandler(upstream: target, client: client, now: now, record: record))
                }
            }
            .bind(host: host, port: port).get()
        return RecordingProxy(
            port: channel.localAddress?.port ?? port, channel: channel, group: group, client: client)
    }

    package func waitForever() async throws { try await channel.closeFuture.get() }

    package func shutdown() async {
        try? await channel.close()
        try? await client.shutdown()
        try? await group.shutdownGracefully()
    }
}

private final class ProxyHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private static let largestBody = 256 << 20
    /// Of one connection each, never passed on.
    static let hopByHop = ["connection", "host", "content-length", "transfer-encoding", "keep-alive", "expect"]

    private let upstream: String
    private let client: HTTPClient
    private let now: @Sendable () -> Double
    private let record: @Sendable (RecordingProxy.Exchange) -> Void
    private var head: HTTPRequestHead?
    private var body = ByteBuffer()
    private var task: Task<Void, Never>?

    init(
        upstream: String, client: HTTPClient, now: @escaping @Sendable () -> Double,
        record: @escaping @Sendable (RecordingProxy.Exchange) -> Void
    ) {
        self.upstream = upstream
        self.client = client
        self.now = now
        self.record = record
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body.clear()
        case .body(var buffer):
            if body.readableBytes + buffer.readableBytes > Self.largestBody { return context.close(promise: nil) }
            body.writeBuffer(&buffer)
        case .end: forward(context)
        }
    }

    /// A client that hangs up ends its request upstream too.
    func channelInactive(context: ChannelHandlerContext) {
        task?.cancel()
        context.fireChannelInactive()
    }

    private func forward(_ context: ChannelHandlerContext) {
        guard let head else { return }
        var request = HTTPClientRequest(url: upstream + head.uri)
        request.method = head.method
        for (name, value) in head.headers where !Self.hopByHop.contains(name.lowercased()) {
            request.headers.add(name: name, value: value)
        }
        if body.readableBytes > 0 { request.body = .bytes(body) }
        let path = head.uri.split(separator: "?").first.map(String.init) ?? head.uri
        let passage = Passage(
            channel: context.channel, client: client, request: request, path: path,
            requestBody: Array(body.readableBytesView), arrived: now(), record: record)
        task = Task { await passage.run() }
    }
}

/// One request on its way to the server, and the answer on its way back.
private struct Passage: Sendable {
    let channel: any Channel
    let client: HTTPClient
    let request: HTTPClientRequest
    let path: String
    let requestBody: [UInt8]
    let arrived: Double
    let record: @Sendable (RecordingProxy.Exchange) -> Void

    func run() async {
        do {
            let response = try await client.execute(request, timeout: .hours(1))
            let outcome = try await pass(response)
            let counted = outcome.outputTokens > 0 ? outcome.outputTokens : outcome.interTokenTimes.count + 1
            record(
                .init(
                    path: path, requestBody: requestBody, status: Int(response.status.code), time: arrived,
                    outputTokens: outcome.isSuccess ? counted : nil, answer: outcome.text))
        } catch {
            await refuse()
        }
    }

    private func pass(_ response: HTTPClientResponse) async throws -> RequestOutcome {
        var headers = HTTPHeaders()
        for (name, value) in response.headers where !ProxyHandler.hopByHop.contains(name.lowercased()) {
            headers.add(name: name, value: value)
        }
        let streams = response.headers.first(name: "content-type")?.hasPrefix("text/event-stream") == true
        headers.add(name: "transfer-encoding", value: "chunked")
        try await send(.head(.init(version: .http1_1, status: response.status, headers: headers)))
        let dialect: ServingBackend.Dialect =
            path.hasSuffix("/chat/completions") ? .chat : path.hasSuffix("/completions") ? .completions : .generate
        var reader = AnswerReader(
            RequestOutcome(item: 0, planned: 0, start: 0, promptTokens: 0, outputTokens: 0), dialect: dialect,
            streams: streams)
        reader.head(status: Int(response.status.code))
        for try await buffer in response.body {
            reader.receive(Array(buffer.readableBytesView), at: 1)
            try await send(.body(.byteBuffer(buffer)))
        }
        try await send(.end(nil))
        return reader.finish(at: 1)
    }

    /// If nothing was sent yet the client learns why, otherwise the cut tells it.
    private func refuse() async {
        let body = ByteBuffer(
            string: "{\"error\":{\"message\":\"the server behind radish record cannot be reached\"}}")
        let headers = HTTPHeaders([
            ("content-type", "application/json"), ("content-length", "\(body.readableBytes)"),
        ])
        try? await send(.head(.init(version: .http1_1, status: .badGateway, headers: headers)))
        try? await send(.body(.byteBuffer(body)))
        try? await send(.end(nil))
        try? await channel.close()
    }

    private func send(_ part: HTTPServerResponsePart) async throws { try await channel.writeAndFlush(part) }
}
