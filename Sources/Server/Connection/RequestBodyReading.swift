import EngineInterface
import HTTPTypes
import Hummingbird
import NIOCore
import TextGeneration
import WireTypes

/// The connection broke while the body arrived. Nobody is there to be told.
struct ConnectionLost: Error {
    let underlying: any Error
}

enum RequestBodyReading {
    /// Reads the whole body as JSON, within the server's limits of size and time.
    ///
    /// - Throws: `RequestFailure` 400, 408, 413 or 415, or `ConnectionLost`.
    static func json(
        _ request: Request, _ context: ServerContext, _ configuration: ServerConfiguration
    ) async throws -> JSONValue {
        if let encoding = request.headers[.contentEncoding], !["", "identity"].contains(encoding.lowercased()) {
            throw RequestFailure(
                .unsupportedMediaType,
                ErrorBody(message: "The content encoding '\(encoding)' is not supported.", code: "unsupported_encoding")
            )
        }
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > configuration.maxBodyBytes {
            throw RequestFailure.bodyTooLarge(limit: configuration.maxBodyBytes)
        }
        let buffer = try await bytes(request.body, context.channel.eventLoop, configuration)
        let bytes = Array(buffer.readableBytesView)
        context.record.noteBody(bytes: bytes.count, text: logged(bytes, configuration))
        do {
            return try JSONParser.parse(bytes)
        } catch {
            throw ErrorMapping.failure(error)
        }
    }

    /// As `json`, for commands that need no body.
    static func optionalJSON(
        _ request: Request, _ context: ServerContext, _ configuration: ServerConfiguration
    ) async throws -> JSONValue? {
        let length = request.headers[.contentLength]
        if length == "0" || (length == nil && request.headers[.transferEncoding] == nil) { return nil }
        return try await json(request, context, configuration)
    }

    private static func bytes(
        _ body: RequestBody, _ loop: any EventLoop, _ configuration: ServerConfiguration
    ) async throws -> ByteBuffer {
        let limit = configuration.maxBodyBytes
        let buffer = try await Timer.limit(configuration.bodyTimeout, on: loop) {
            do {
                return try await body.collect(upTo: limit)
            } catch is NIOTooManyBytesError {
                throw RequestFailure.bodyTooLarge(limit: limit)
            } catch {
                throw ConnectionLost(underlying: error)
            }
        }
        if let buffer { return buffer }
        var failure = RequestFailure(
            .requestTimeout,
            ErrorBody(
                message: "The request body did not arrive within \(configuration.bodyTimeout).",
                code: "request_timeout"))
        failure.closesConnection = true
        throw failure
    }

    /// What of a body the operator wants to see; nothing unless asked for.
    private static func logged(_ bytes: [UInt8], _ configuration: ServerConfiguration) -> String? {
        guard configuration.logsRequests else { return nil }
        switch configuration.requestLogLevel {
        case ..<2: return nil
        case 2: return String(decoding: bytes.prefix(2048), as: UTF8.self)
        default: return String(decoding: bytes, as: UTF8.self)
        }
    }
}
