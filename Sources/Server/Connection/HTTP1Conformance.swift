import NIOCore
import NIOHTTP1
import WireTypes

/// What RFC 9110 and 9112 ask of a server and Hummingbird leaves out: `100 Continue`, answers that a client of HTTP/1.0
/// can read, `Connection: close` however it is written, and the form of all other errors for what is no HTTP.
///
/// It stands between NIO's decoder and the conversion to types that know no versions.
final class HTTP1Conformance: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private struct Asked {
        /// The client knows no chunks.
        var isHTTP10: Bool
        /// The client wants the connection closed behind the answer.
        var isLast: Bool
    }

    /// Larger bodies are refused: nobody is to send them.
    private let maxBodyBytes: Int
    /// Requests that are not answered yet, the oldest first: clients may send the next one before they have an answer.
    private var asked: [Asked] = []
    /// Why the decoder gave up.
    private var fault: HTTPParserError?

    init(maxBodyBytes: Int) { self.maxBodyBytes = maxBodyBytes }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head(let head) = unwrapInboundIn(data) {
            // Between an answer's parts there is no place for another one; then the client sends after a while anyway.
            if asked.isEmpty, awaitsPermission(head) {
                let go = HTTPResponseHead(version: .http1_1, status: .continue)
                context.writeAndFlush(wrapOutboundOut(.head(go)), promise: nil)
            }
            let isHTTP10 = head.version == .http1_0
            let closes = head.headers[canonicalForm: "connection"].contains { $0.lowercased() == "close" }
            asked.append(Asked(isHTTP10: isHTTP10, isLast: isHTTP10 || closes))
        }
        context.fireChannelRead(data)
    }

    /// As curl does with large bodies.
    private func awaitsPermission(_ head: HTTPRequestHead) -> Bool {
        guard head.version != .http1_0, head.headers.first(name: "expect")?.lowercased() == "100-continue" else {
            return false
        }
        return (head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0) <= maxBodyBytes
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fault = fault ?? error as? HTTPParserError
        context.fireErrorCaught(error)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head):
            // Only what did not come from a route has no id.
            if let fault, !head.headers.contains(name: "x-request-id") { return refuse(fault, context, promise) }
            write(head, context, promise)
        case .body: context.write(data, promise: promise)
        case .end:
            guard !asked.isEmpty, asked.removeFirst().isLast else { return context.write(data, promise: promise) }
            let sent = promise ?? context.eventLoop.makePromise()
            sent.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
            context.writeAndFlush(data, promise: sent)
        }
    }

    private func write(_ head: HTTPResponseHead, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        var head = head
        if asked.first?.isHTTP10 == true { head.version = .http1_0 }
        if asked.first?.isLast == true { head.headers.replaceOrAdd(name: "connection", value: "close") }
        context.write(wrapOutboundOut(.head(head)), promise: promise)
    }

    /// In place of the bare 400 that Hummingbird sends.
    private func refuse(_ fault: HTTPParserError, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?)
    {
        let isTooLong = fault == .headerOverflow
        let body = ErrorBody(
            message: isTooLong
                ? "The head of the request is larger than 80 KiB." : "The request is no valid HTTP/1: \(fault).",
            code: isTooLong ? "headers_too_large" : "invalid_http")
        let bytes = body.json
        let headers: HTTPHeaders = [
            "content-type": "application/json", "content-length": String(bytes.count), "connection": "close",
            "x-request-id": RequestIdentity.random("req_"),
        ]
        let status: HTTPResponseStatus = isTooLong ? .requestHeaderFieldsTooLarge : .badRequest
        write(HTTPResponseHead(version: .http1_1, status: status, headers: headers), context, nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes)))), promise: promise)
    }
}
