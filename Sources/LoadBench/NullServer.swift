import NIOCore
import NIOHTTP1
import NIOPosix
import WireTypes

/// A server without a model: streams as many tokens as asked for at a fixed pace. Measures what a client can take, and
/// tests one: every number of its answers is known beforehand.
package struct NullServer: Sendable {
    package struct Pace: Sendable {
        /// Before the first token, and between two tokens. Zero: at once.
        let firstToken: TimeAmount
        let token: TimeAmount

        package init(firstTokenMicroseconds: Int = 0, tokenMicroseconds: Int = 0) {
            firstToken = .microseconds(Int64(firstTokenMicroseconds))
            token = .microseconds(Int64(tokenMicroseconds))
        }
    }

    package let port: Int
    private let channel: any Channel
    private let group: MultiThreadedEventLoopGroup

    /// - Parameter port: 0 takes a free one.
    package static func start(host: String, port: Int, pace: Pace, threads: Int = 1) async throws -> NullServer {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NullSocket(), name: NullSocket.name)
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(NullHandler(pace: pace))
                }
            }
        let channel = try await bootstrap.bind(host: host, port: port).get()
        return NullServer(port: channel.localAddress?.port ?? port, channel: channel, group: group)
    }

    package func shutdown() async {
        try? await channel.close()
        try? await group.shutdownGracefully()
    }

    /// Until the process is ended.
    package func waitForever() async throws { try await channel.closeFuture.get() }
}

/// Where events that are chunks of HTTP already enter the pipeline, past its encoder.
private final class NullSocket: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    static let name = "socket"
}

private final class NullHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let pace: NullServer.Pace
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []
    private var known: (dialect: ServingBackend.Dialect, events: [Int: ByteBuffer])?
    private var socket: ChannelHandlerContext?

    init(pace: NullServer.Pace) { self.pace = pace }

    func handlerAdded(context: ChannelHandlerContext) {
        socket = try? context.pipeline.syncOperations.context(name: NullSocket.name)
    }

    func handlerRemoved(context: ChannelHandlerContext) { socket = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body.removeAll(keepingCapacity: true)
        case .body(let buffer): body += buffer.readableBytesView
        case .end: answer(context)
        }
    }

    private func answer(_ context: ChannelHandlerContext) {
        let path = head?.uri.split(separator: "?").first.map(String.init) ?? "/"
        switch path {
        case "/generate": stream(context, .generate)
        case "/v1/completions": stream(context, .completions)
        case "/v1/chat/completions": stream(context, .chat)
        case "/completion": stream(context, .llamaCompletion)
        case "/v1/models": whole(context, #"{"object":"list","data":[{"id":"null","object":"model"}]}"#)
        case "/server_info": whole(context, #"{"model_path":"null"}"#)
        default: whole(context, "{}")
        }
    }

    private func whole(_ context: ChannelHandlerContext, _ text: String) {
        var buffer = context.channel.allocator.buffer(capacity: text.utf8.count)
        buffer.writeString(text)
        let headers = HTTPHeaders([
            ("content-type", "application/json"), ("content-length", "\(buffer.readableBytes)"),
        ])
        context.write(wrapOutboundOut(.head(.init(version: .http1_1, status: .ok, headers: headers))), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(buffer))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    private func stream(_ context: ChannelHandlerContext, _ dialect: ServingBackend.Dialect) {
        let fields = (try? JSONParser.parse(body)).flatMap { try? JSONFields(root: $0) }
        let native = try? fields?.fields("sampling_params")?.int("max_new_tokens")
        let limit =
            [
                native, try? fields?.int("max_tokens"), try? fields?.int("max_completion_tokens"),
                try? fields?.int("n_predict"),
            ]
            .compactMap { $0 ?? nil }.first ?? 16
        guard (try? fields?.bool("stream")) == true else {
            var writer = JSONWriter()
            NullAnswer.write(dialect, token: limit, of: limit, whole: true, to: &writer)
            return whole(context, String(decoding: writer.bytes, as: UTF8.self))
        }
        let headers = HTTPHeaders([("content-type", "text/event-stream"), ("transfer-encoding", "chunked")])
        context.writeAndFlush(
            wrapOutboundOut(.head(.init(version: .http1_1, status: .ok, headers: headers))), promise: nil)
        next(
            NIOLoopBound(context, eventLoop: context.eventLoop), dialect, token: 1, of: max(1, limit),
            due: .now() + pace.firstToken)
    }

    /// - Parameter due: when this token is. One that comes late delays none of those after it.
    private func next(
        _ bound: NIOLoopBound<ChannelHandlerContext>, _ dialect: ServingBackend.Dialect, token: Int, of limit: Int,
        due: NIODeadline
    ) {
        if due <= .now() {
            var (token, due) = (token, due)
            repeat {
                send(bound.value, dialect, token: token, of: limit)
                token += 1
                due = due + pace.token
            } while token <= limit && due <= .now()
            if token <= limit { next(bound, dialect, token: token, of: limit, due: due) }
            return
        }
        let handler = NIOLoopBound(self, eventLoop: bound.value.eventLoop)
        bound.value.eventLoop.scheduleTask(deadline: due) {
            guard bound.value.channel.isActive else { return }
            handler.value.send(bound.value, dialect, token: token, of: limit)
            if token < limit {
                handler.value.next(bound, dialect, token: token + 1, of: limit, due: due + handler.value.pace.token)
            }
        }
    }

    /// An event as a chunk of the answer's body (RFC 9112, 7.1).
    private func event(_ dialect: ServingBackend.Dialect, token: Int, of limit: Int) -> ByteBuffer {
        // Only the last event tells the limit; the others are the same each time, and in most dialects one by one.
        let place = dialect == .generate ? token : 0
        if token < limit, dialect == known?.dialect, let buffer = known?.events[place] { return buffer }
        var writer = JSONWriter()
        NullAnswer.write(dialect, token: token, of: limit, whole: false, to: &writer)
        var bytes = ServerSentEvent.data(writer.bytes)
        if token == limit { bytes += ServerSentEvent.done }
        let buffer = ByteBuffer(bytes: Array("\(String(bytes.count, radix: 16))\r\n".utf8) + bytes + [0x0D, 0x0A])
        if token < limit {
            if dialect != known?.dialect { known = (dialect, [:]) }
            known?.events[place] = buffer
        }
        return buffer
    }

    private func send(_ context: ChannelHandlerContext, _ dialect: ServingBackend.Dialect, token: Int, of limit: Int) {
        socket?.write(NIOAny(event(dialect, token: token, of: limit)), promise: nil)
        if token == limit {
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        } else if pace.token != .zero {
            socket?.flush()
        }
    }
}

/// The JSON of the null server's answers: every token is `" hi"`, every prompt has 7 tokens of which 3 were cached.
private enum NullAnswer {
    static func write(
        _ dialect: ServingBackend.Dialect, token: Int, of limit: Int, whole: Bool, to writer: inout JSONWriter
    ) {
        let isLast = token == limit
        let text = whole ? String(repeating: " hi", count: limit) : " hi"
        writer.object { writer in
            switch dialect {
            case .generate:
                writer.field("text", String(repeating: " hi", count: token))
                writer.objectField("meta_info") { writer in
                    writer.field("id", "null")
                    writer.field("prompt_tokens", 7)
                    writer.field("completion_tokens", token)
                    writer.field("cached_tokens", 3)
                }
            case .completions:
                writer.field("id", "null")
                writer.arrayField("choices") { writer in
                    writer.object { writer in
                        writer.field("index", 0)
                        writer.field("text", text)
                        writer.field("finish_reason", isLast ? "length" : nil)
                    }
                }
                if isLast { usage(limit, &writer) }
            case .chat:
                writer.field("id", "null")
                writer.arrayField("choices") { writer in
                    writer.object { writer in
                        writer.field("index", 0)
                        writer.objectField(whole ? "message" : "delta") { $0.field("content", text) }
                        writer.field("finish_reason", isLast ? "length" : nil)
                    }
                }
                if isLast { usage(limit, &writer) }
            case .llamaCompletion:
                writer.field("content", text)
                writer.field("stop", isLast)
                if isLast {
                    writer.objectField("timings") { writer in
                        writer.field("cache_n", 3)
                        writer.field("prompt_n", 4)
                        writer.field("predicted_n", limit)
                    }
                }
            }
        }
    }

    private static func usage(_ count: Int, _ writer: inout JSONWriter) {
        writer.objectField("usage") { writer in
            writer.field("prompt_tokens", 7)
            writer.field("completion_tokens", count)
            writer.objectField("prompt_tokens_details") { $0.field("cached_tokens", 3) }
        }
    }
}
