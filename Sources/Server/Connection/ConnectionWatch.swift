import NIOCore

/// Turns the end of a client's sending into the end of its connection, and tells `ClientConnection`.
///
/// Without it a client that went away is noticed at the next write only, which for an answer in one piece is when all
/// of it was computed. A client that closes only its own half (`nc -N`) counts as gone, as with uvicorn.
final class ConnectionWatch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Any

    let connection = ClientConnection()

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        context.fireUserInboundEventTriggered(event)
        if let event = event as? ChannelEvent, event == .inputClosed { context.close(promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        connection.close()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { connection.close() }
}
