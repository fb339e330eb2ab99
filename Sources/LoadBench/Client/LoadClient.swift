import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
package import WireTypes

/// Sends requests and reads streamed answers on threads of its own, with the time of each piece taken on the thread that
/// read it from the socket, before anything waits for anything.
package final class LoadClient: Sendable {
    package let baseURL: String
    private let headers: HTTPHeaders
    private let group: MultiThreadedEventLoopGroup
    private let client: HTTPClient
    /// Nanoseconds spent in reading answers, summed over the threads.
    private let readingTime = Atomic<Int>(0)

    /// - Parameters:
    ///   - headers: added to every request; `authorization` from `OPENAI_API_KEY` is the caller's to give.
    ///   - threads: that wait for sockets. One carries tens of thousands of events a second.
    package init(baseURL: String, headers: [(String, String)] = [], threads: Int = 1) {
        var base = baseURL
        while base.hasSuffix("/") { base.removeLast() }
        self.baseURL = base
        self.headers = HTTPHeaders([("content-type", "application/json")] + headers)
        group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        var configuration = HTTPClient.Configuration()
        configuration.httpVersion = .http1Only
        configuration.timeout.connect = .seconds(60)
        configuration.timeout.read = nil
        // The default of 8 would make a closed loop of an open one.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1 << 20
        // A refused connection is a failed request, now and not after a minute of attempts.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.idleTimeout = .seconds(120)
        client = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
    }

    package func shutdown() async {
        try? await client.shutdown()
        try? await group.shutdownGracefully()
    }

    /// Seconds on a clock that never goes back.
    package static var now: Double { Double(NIODeadline.now().uptimeNanoseconds) * 1e-9 }

    /// Seconds spent in reading answers so far, summed over the threads.
    package var readingSeconds: Double { Double(readingTime.load(ordering: .relaxed)) * 1e-9 }

    /// One request with its answer.
    ///
    /// - Parameters:
    ///   - epoch: `now` at the start of the run; all times of the outcome count from there.
    ///   - blank: item, planned time and expected counts; its `start` is set here.
    package func send(
        path: String, body: [UInt8], dialect: ServingBackend.Dialect, streams: Bool, epoch: Double,
        blank: RequestOutcome
    ) async -> RequestOutcome {
        var blank = blank
        let request: HTTPClient.Request
        do {
            request = try HTTPClient.Request(
                url: baseURL + path, method: .POST, headers: headers, body: .byteBuffer(ByteBuffer(bytes: body)))
        } catch {
            blank.start = Self.now - epoch
            blank.error = "\(error)"
            return blank
        }
        blank.start = Self.now - epoch
        let delegate = AnswerDelegate(AnswerReader(blank, dialect: dialect, streams: streams), epoch: epoch)
        do {
            let outcome = try await client.execute(request: request, delegate: delegate).get()
            readingTime.add(delegate.readingTime, ordering: .relaxed)
            return outcome
        } catch {
            return delegate.fail("\(error)")
        }
    }

    /// A request outside the measurement.
    /// - Returns: status and body, at most 64 MiB.
    package func call(
        _ method: String, _ path: String, body: [UInt8]? = nil, timeout: Int = 120
    ) async throws -> (status: Int, body: [UInt8]) {
        var request = HTTPClientRequest(url: baseURL + path)
        request.method = HTTPMethod(rawValue: method)
        request.headers = headers
        if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
        let response = try await client.execute(request, timeout: .seconds(Int64(timeout)))
        let buffer = try await response.body.collect(upTo: 64 << 20)
        return (Int(response.status.code), Array(buffer.readableBytesView))
    }

    /// The JSON at `path`; nil for anything but a JSON answer with status 200.
    package func json(_ path: String) async -> JSONValue? {
        guard let answer = try? await call("GET", path, timeout: 20), answer.status == 200 else { return nil }
        return try? JSONParser.parse(answer.body)
    }

    /// How late a timer of the first thread fires, sampled every 5 ms until the task is cancelled: what every
    /// time stamp may be wrong by.
    package func timerDelays() async -> [Double] {
        let loop = group.next()
        var delays: [Double] = []
        while !Task.isCancelled {
            let due = NIODeadline.now() + .milliseconds(5)
            let late = try? await loop.scheduleTask(deadline: due) { NIODeadline.now() - due }.futureResult.get()
            if let late { delays.append(Double(late.nanoseconds) * 1e-9) }
        }
        return delays
    }
}

/// Called on the thread of the connection; the lock is never contended.
private final class AnswerDelegate: HTTPClientResponseDelegate, Sendable {
    typealias Response = RequestOutcome

    private struct State {
        var reader: AnswerReader
        var readingTime = 0
    }

    private let state: Mutex<State>
    private let epoch: Double

    init(_ reader: AnswerReader, epoch: Double) {
        state = Mutex(State(reader: reader))
        self.epoch = epoch
    }

    var readingTime: Int { state.withLock { $0.readingTime } }

    func didReceiveHead(task: HTTPClient.Task<Response>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
        state.withLock { $0.reader.head(status: Int(head.status.code)) }
        return task.eventLoop.makeSucceededVoidFuture()
    }

    func didReceiveBodyPart(task: HTTPClient.Task<Response>, _ buffer: ByteBuffer) -> EventLoopFuture<Void> {
        let arrived = NIODeadline.now()
        state.withLock { state in
            state.reader.receive(
                Array(buffer.readableBytesView), at: Double(arrived.uptimeNanoseconds) * 1e-9 - epoch)
            state.readingTime += Int((NIODeadline.now() - arrived).nanoseconds)
        }
        return task.eventLoop.makeSucceededVoidFuture()
    }

    func didFinishRequest(task: HTTPClient.Task<Response>) throws -> RequestOutcome {
        state.withLock { $0.reader.finish(at: LoadClient.now - epoch) }
    }

    func fail(_ reason: String) -> RequestOutcome {
        state.withLock { $0.reader.fail(reason, at: LoadClient.now - epoch) }
    }
}
