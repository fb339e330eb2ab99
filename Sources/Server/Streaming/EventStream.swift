import EngineInterface
import HTTPTypes
import Hummingbird
import NIOCore
import TextGeneration
import WireTypes

/// Turns updates into the bytes of server-sent events; one for each endpoint.
protocol EventWriter: Sendable {
    /// Before anything else.
    mutating func begin(to bytes: inout [UInt8])
    mutating func write(_ update: AnswerUpdate, to bytes: inout [UInt8])
    /// After the last answer finished, before `[DONE]`.
    mutating func end(to bytes: inout [UInt8])
    /// Counts over all answers so far.
    var usage: Usage { get }
    var contentType: String { get }
    /// After everything.
    var doneMark: [UInt8] { get }
    /// What a silent stream gets from time to time.
    var keepAlive: [UInt8] { get }
    /// What a stream that has begun says of an error.
    func failure(_ failure: RequestFailure) -> [UInt8]
}

/// As OpenAI and SGLang have it.
extension EventWriter {
    var contentType: String { "text/event-stream; charset=utf-8" }
    var doneMark: [UInt8] { ServerSentEvent.done }
    var keepAlive: [UInt8] { ServerSentEvent.keepAlive }
    func failure(_ failure: RequestFailure) -> [UInt8] { ErrorMapping.event(failure) }
}

/// What the streams of all endpoints share: one writer, back-pressure, comments in silence, and the end when the
/// client goes away.
struct EventStream: Sendable {
    let configuration: ServerConfiguration
    let log: RequestLog

    /// - Returns: a response whose body is written while the answers are generated.
    func response(
        _ running: RunningAnswers, _ writer: some EventWriter, _ request: Request, _ context: ServerContext,
        _ names: FieldNames
    ) async -> Response {
        context.record.streams = true
        let connection = await context.connection()
        let end = StreamEnd(
            log: log, context: context, method: request.method.rawValue, path: request.uri.path)
        let body = ResponseBody { output in
            var writer = writer
            defer { running.end() }
            do {
                try await send(running, &writer, connection, context, names, to: &output)
                try await output.finish(nil)
                end.note(.ok, writer.usage, finish: "done")
            } catch {
                // The head is sent: nothing can be said to the client any more, and mostly it is gone.
                end.note(RequestFailure.clientClosed.status, writer.usage)
                throw error
            }
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: writer.contentType, .cacheControl: "no-cache", .xAccelBuffering: "no",
            ],
            body: body)
    }

    private func send(
        _ running: RunningAnswers, _ writer: inout some EventWriter, _ connection: ClientConnection,
        _ context: ServerContext, _ names: FieldNames, to output: inout any ResponseBodyWriter
    ) async throws {
        let queue = AnswerQueue()
        let stopTimer = Timer.every(configuration.keepAliveInterval, on: context.channel.eventLoop) {
            queue.noteSilence()
        }
        defer { stopTimer() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, stream) in running.streams.enumerated() {
                group.addTask { for await event in stream { queue.add(event, of: index) } }
            }
            group.addTask {
                await connection.untilClosed()
                queue.noteClientGone()
            }
            // The children end by cancellation only; a write that throws must not wait for them.
            defer { group.cancelAll() }
            try await write(queue, running, &writer, context.record, names, to: &output)
        }
    }

    private func write(
        _ queue: AnswerQueue, _ running: RunningAnswers, _ writer: inout some EventWriter, _ record: RequestRecord,
        _ names: FieldNames, to output: inout any ResponseBodyWriter
    ) async throws {
        var bytes: [UInt8] = []
        writer.begin(to: &bytes)
        if !bytes.isEmpty { try await output.write(ByteBuffer(bytes: bytes)) }
        var open = running.streams.count
        for await _ in queue.signals {
            let batch = queue.take()
            if batch.isClientGone { throw RequestFailure.clientClosed }
            bytes.removeAll(keepingCapacity: true)
            var failure: RequestFailure?
            for update in batch.updates {
                if !update.tokens.isEmpty { record.noteToken() }
                if let finish = update.finish {
                    open -= 1
                    if case .failed(let error) = finish.reason { failure = ErrorMapping.failure(error, names) }
                }
                writer.write(update, to: &bytes)
            }
            if let failure {
                bytes += writer.failure(failure)
                open = 0
            } else if open == 0 {
                writer.end(to: &bytes)
            }
            if open == 0 { bytes += writer.doneMark }
            if bytes.isEmpty, batch.isKeepAliveDue { bytes += writer.keepAlive }
            // Waits while the client does not read: the queue joins what comes meanwhile.
            if !bytes.isEmpty { try await output.write(ByteBuffer(bytes: bytes)) }
            if open == 0 { return }
        }
        throw CancellationError()
    }
}

extension HTTPField.Name {
    // A constant that is a valid name; nginx does not buffer a response that carries it.
    // swift-format-ignore: NeverForceUnwrap
    fileprivate static let xAccelBuffering = HTTPField.Name("x-accel-buffering")!
}
