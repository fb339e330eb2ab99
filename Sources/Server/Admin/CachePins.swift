import EngineInterface
import HTTPTypes
package import TextGeneration
import WireTypes

/// Makes pins, for `/cache/pin` and for `--prewarm`.
package enum CachePins {
    static func prompt(_ body: CachePromptRequest) -> (prompt: TextRequest.Prompt, field: String) {
        switch body.prompt {
        case .plain(let prompt): (TextRequest.Prompt(prompt), "prompt")
        case .chat(let chat): (.chat(ChatPrompt(chat)), "messages")
        }
    }

    static func unknown(_ id: String) -> RequestFailure {
        RequestFailure(
            .notFound, ErrorBody(message: "There is no pin '\(id)'.", parameter: "id", code: "unknown_pin"))
    }

    /// Computes a prompt by generating one token, and keeps it.
    /// - Throws: `RequestFailure` if it cannot run, or 409 if the budget has no room for it.
    static func pin(
        _ prompt: TextRequest.Prompt, tokens: [Int32], _ body: CachePromptRequest, _ engine: TextEngine,
        _ parts: ServerParts
    ) async throws -> PinnedPrefix {
        let id = body.id ?? RequestIdentity.random("pin-")
        let kept = Array(tokens.prefix(body.tokens ?? tokens.count))
        let request = self.request(tokens, body, id: id)
        let running = try await RunningAnswers.start(
            [request], engine, parts.inFlight, FieldNames(prompt: prompt.isChat ? "messages" : "prompt"))
        defer { running.end() }
        for stream in running.streams {
            for await event in stream {
                if case .finished(let finish) = event, case .failed(let error) = finish.reason {
                    throw ErrorMapping.failure(error, FieldNames(prompt: "prompt"))
                }
            }
        }
        let pins = await engine.engine.pins()
        let head = kept.prefix(64)
        // A pin of the same tokens is renewed under its own name.
        let made =
            pins.first { $0.id == id }
            ?? pins.first {
                $0.cacheNamespace == body.cacheSalt && $0.tokens == kept.count && $0.head.elementsEqual(head)
            }
        if let made { return made }
        let statistics = await engine.engine.statistics()
        let page = engine.engine.information.pageSize
        throw RequestFailure(
            .conflict,
            ErrorBody(
                message: """
                    The prompt of \(kept.count) tokens was computed but is not kept: pins may hold \
                    \(statistics.pinnablePages * page) tokens and hold \(statistics.pinnedPages * page); at least one \
                    full page of \(page) tokens is needed. Unpin another one, or start with --max-pinned-tokens.
                    """,
                code: "pin_budget"))
    }

    private static func request(_ tokens: [Int32], _ body: CachePromptRequest, id: String) -> TextRequest {
        var sampling = SamplingParameters()
        sampling.maxTokens = 1
        sampling.temperature = 0
        var request = TextRequest(
            id: RequestIdentity.random("pin-"), prompt: .tokens(tokens), sampling: sampling,
            cacheNamespace: body.cacheSalt)
        if body.pin { request.pins = [PinRequest(id: id, tokens: body.tokens, timeToLive: body.timeToLive)] }
        return request
    }

    // MARK: Prewarming

    /// Computes the prompts of a `--prewarm` file: one JSON value a line, a text or what `/cache/pin` takes.
    ///
    /// - Parameter note: is told about each line: its number, and how many tokens were computed, or what is wrong.
    package static func prewarm(
        _ file: [UInt8], _ engine: TextEngine, note: (_ line: Int, _ result: Result<Int, PrewarmError>) -> Void
    ) async {
        for (index, line) in file.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            if line.allSatisfy({ $0 == 32 || $0 == 9 || $0 == 13 }) { continue }
            note(index + 1, await prewarm(Array(line), engine))
        }
    }

    private static func prewarm(_ line: [UInt8], _ engine: TextEngine) async -> Result<Int, PrewarmError> {
        do {
            let body = try CachePromptRequest(JSONParser.parse(line), opensAnswer: false)
            let tokens = try await engine.promptTokens(prompt(body).prompt)
            let id = body.id ?? RequestIdentity.random("prewarm-")
            for await event in try await engine.generate(request(tokens, body, id: id)) {
                if case .finished(let finish) = event, case .failed(let error) = finish.reason {
                    return .failure(PrewarmError(message: "\(error)"))
                }
            }
            if body.pin, await !engine.engine.pins().contains(where: { $0.id == id }) {
                return .failure(
                    PrewarmError(message: "computed, but not kept: pins are limited by --max-pinned-tokens"))
            }
            return .success(tokens.count)
        } catch let error as FieldError {
            return .failure(PrewarmError(message: error.message))
        } catch let error as JSONError {
            return .failure(PrewarmError(message: "invalid JSON: \(error.message)"))
        } catch {
            return .failure(PrewarmError(message: "\(error)"))
        }
    }
}

/// Why a line of a `--prewarm` file is not in the cache.
package struct PrewarmError: Error, Sendable {
    package let message: String
}

extension TextRequest.Prompt {
    fileprivate var isChat: Bool { if case .chat = self { true } else { false } }
}
