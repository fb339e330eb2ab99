import Hummingbird
import Logging
import NIOCore

/// What accompanies a request through middleware and route.
struct ServerContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel
    /// The client's `x-request-id`, or ours.
    var requestID = ""
    let record = RequestRecord()

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }

    func connection() async -> ClientConnection { await ClientConnection.of(channel) }
}
