import EngineInterface
import HTTPTypes
import Hummingbird
import NIOCore
import TextGeneration
import Tokenizers
import WireTypes

/// What is in the prefix cache, why a request found no more of it, and what is to stay: `/cache/…` and `/flush_cache`.
struct CacheRoutes: Sendable {
    let parts: ServerParts

    private static let longestWait: Duration = .seconds(60)

    /// `/flush_cache`: forgets every prefix. Refused while requests run, unless `?timeout=` says how long to wait.
    func flush(_ request: Request, _ context: ServerContext) async throws -> Response {
        let engine = try parts.model.engine().engine
        let seconds = request.uri.queryParameters.get("timeout", as: Double.self) ?? 0
        let wait = min(Self.longestWait, .seconds(max(0, seconds.isFinite ? seconds : 0)))
        let deadline = ContinuousClock.now + wait
        while await !engine.flushCache() {
            guard ContinuousClock.now < deadline else {
                throw RequestFailure.invalid(
                    "The cache is in use: requests are running or waiting. Try again, or give '?timeout=' seconds.",
                    code: "cache_in_use")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        return Response(
            status: .ok, headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: "Cache flushed.\n")))
    }

    /// `GET /cache/explain?request_id=`: what the cache did for a request, and why not more.
    func explain(_ request: Request, _ context: ServerContext) async throws -> Response {
        let engine = try parts.model.engine()
        guard let id = request.uri.queryParameters.get("request_id") else {
            throw RequestFailure.invalid(
                "Give the request's id: /cache/explain?request_id=…", parameter: "request_id",
                code: "missing_required_parameter")
        }
        let found = engine.explanations.explanation(id, forTenant: false, tokenizer: engine.assets.tokenizer)
        guard let found else {
            throw RequestFailure(
                .notFound,
                ErrorBody(
                    message: "No request '\(id)' is known. The latest 1,024 that were admitted are remembered; "
                        + "of several answers ('n') each has the id with its number: '\(id)-0'.",
                    parameter: "request_id", code: "unknown_request"))
        }
        return Response { writer in
            writer.field("request_id", id)
            CacheReportJSON.members(found, to: &writer)
        }
    }

    /// `POST /cache/probe`: how much of a prompt is resident now. Changes nothing.
    func probe(_ request: Request, _ context: ServerContext) async throws -> Response {
        let engine = try parts.model.engine()
        let body = try await promptRequest(request, context, opensAnswer: true)
        let (prompt, tokens) = try await prompt(of: body, engine)
        let report = await engine.engine.probeCache(tokens, cacheNamespace: body.cacheSalt)
        let explanation = CacheExplanation(
            report, tokens: tokens, prompt: prompt, tokenizer: engine.assets.tokenizer)
        return Response { CacheReportJSON.members(explanation, to: &$0) }
    }

    /// `GET /cache/tree`: what is cached, the most valuable first.
    func tree(_ request: Request, _ context: ServerContext) async throws -> Response {
        let engine = try parts.model.engine()
        let query = request.uri.queryParameters
        let name = query.get("order") ?? PrefixOrder.saved.rawValue
        guard let order = PrefixOrder(rawValue: name) else {
            let names = PrefixOrder.allCases.map(\.rawValue).joined(separator: ", ")
            throw RequestFailure.invalid(
                "Invalid value for 'order': found '\(name)', expected one of \(names).", parameter: "order",
                code: "invalid_value")
        }
        let limit = try Self.number("limit", in: 1...1000, otherwise: 20, query)
        let preview = try Self.number("preview", in: 0...512, otherwise: 24, query)
        let statistics = await engine.engine.statistics()
        let prefixes = await engine.engine.cachedPrefixes(order, limit: limit, previewTokens: preview)
        let information = engine.engine.information
        return Response { writer in
            writer.field("page_size", information.pageSize)
            writer.field("bytes_per_token", information.bytesPerToken)
            statistics.writePages(to: &writer)
            writer.field("nodes", statistics.treeNodes)
            writer.field("order", order.rawValue)
            writer.arrayField("prefixes") { writer in
                for prefix in prefixes { write(prefix, engine, to: &writer) }
            }
        }
    }

    private func write(_ prefix: CachedPrefixInformation, _ engine: TextEngine, to writer: inout JSONWriter) {
        func text(_ ids: [Int32]) -> String { engine.assets.tokenizer.decode(ids, skipSpecialTokens: false) }
        writer.object { writer in
            writer.field("node", prefix.node)
            writer.field("parent", prefix.parent)
            if !prefix.cacheNamespace.isEmpty { writer.field("cache_salt", prefix.cacheNamespace) }
            writer.field("prefix_tokens", prefix.prefixTokens)
            writer.field("tokens", prefix.tokens)
            writer.field("subtree_tokens", prefix.subtreeTokens)
            writer.field("bytes", prefix.bytes)
            writer.field("hits", prefix.hits)
            writer.field("saved_tokens", prefix.savedTokens)
            writer.field("saved_prefill_seconds", Self.rounded(prefix.savedSeconds))
            writer.field("in_use_by", prefix.leases)
            writer.field("age_seconds", Self.rounded(prefix.ageSeconds))
            writer.field("idle_seconds", Self.rounded(prefix.idleSeconds))
            writer.field("tier", prefix.tier.rawValue)
            writer.field("begins", text(prefix.head))
            writer.field("ends", text(prefix.tail))
        }
    }

    // MARK: Pins

    /// `POST /cache/pin`: computes a prompt if need be, and keeps it.
    func pin(_ request: Request, _ context: ServerContext) async throws -> Response {
        let engine = try parts.model.engine()
        let body = try await promptRequest(request, context, opensAnswer: false)
        let (prompt, tokens) = try await prompt(of: body, engine)
        let pin = try await CachePins.pin(prompt, tokens: tokens, body, engine, parts)
        return Response { Self.write(pin, engine, to: &$0) }
    }

    /// `GET /cache/pins`
    func pins(_ request: Request, _ context: ServerContext) async throws -> Response {
        let engine = try parts.model.engine()
        let pins = await engine.engine.pins()
        let statistics = await engine.engine.statistics()
        let pageSize = engine.engine.information.pageSize
        return Response { writer in
            writer.field("pinned_tokens", statistics.pinnedPages * pageSize)
            writer.field("budget_tokens", statistics.pinnablePages * pageSize)
            writer.arrayField("pins") { writer in
                for pin in pins { writer.object { Self.write(pin, engine, to: &$0) } }
            }
        }
    }

    /// `POST /cache/unpin`: `{"id": …}`
    func unpin(_ request: Request, _ context: ServerContext) async throws -> Response {
        let engine = try parts.model.engine()
        let json = try await RequestBodyReading.json(request, context, parts.configuration)
        let given: String?
        do { given = try JSONFields(root: json).string("id") } catch { throw ErrorMapping.failure(error) }
        guard let id = given else { throw ErrorMapping.failure(FieldError("id", .missing)) }
        guard await engine.engine.unpin(id: id) else { throw CachePins.unknown(id) }
        return Response { writer in
            writer.field("id", id)
            writer.field("unpinned", true)
        }
    }

    private static func write(_ pin: PinnedPrefix, _ engine: TextEngine, to writer: inout JSONWriter) {
        writer.field("id", pin.id)
        if !pin.cacheNamespace.isEmpty { writer.field("cache_salt", pin.cacheNamespace) }
        writer.field("tokens", pin.tokens)
        writer.field("pinned_tokens", pin.pinnedTokens)
        writer.field("age_seconds", rounded(pin.ageSeconds))
        writer.name("expires_in_seconds")
        if let seconds = pin.expiresInSeconds { writer.double(rounded(seconds)) } else { writer.null() }
        writer.field("begins", engine.assets.tokenizer.decode(pin.head, skipSpecialTokens: false))
    }

    // MARK: Input

    private func promptRequest(
        _ request: Request, _ context: ServerContext, opensAnswer: Bool
    ) async throws -> CachePromptRequest {
        let json = try await RequestBodyReading.json(request, context, parts.configuration)
        do { return try CachePromptRequest(json, opensAnswer: opensAnswer) } catch {
            throw ErrorMapping.failure(error)
        }
    }

    private func prompt(
        of body: CachePromptRequest, _ engine: TextEngine
    ) async throws -> (TextRequest.Prompt, [Int32]) {
        let (prompt, name) = CachePins.prompt(body)
        do {
            let tokens = try await engine.promptTokens(prompt)
            guard !tokens.isEmpty else { throw TextGenerationError.request(.emptyPrompt) }
            let size = engine.engine.information.vocabularySize
            if let wrong = tokens.first(where: { Int($0) >= size }) {
                throw TextGenerationError.request(.tokenOutOfRange(id: wrong, vocabularySize: size))
            }
            return (prompt, tokens)
        } catch let error as TextGenerationError {
            throw ErrorMapping.failure(error, FieldNames(prompt: name))
        }
    }

    private static func number(
        _ name: String, in range: ClosedRange<Int>, otherwise: Int, _ query: Parameters
    ) throws(RequestFailure) -> Int {
        guard let text = query.get(name) else { return otherwise }
        guard let value = Int(text), range.contains(value) else {
            throw .invalid(
                "Invalid value for '\(name)': found '\(text)', expected an integer from \(range.lowerBound) to "
                    + "\(range.upperBound).", parameter: name, code: "invalid_value")
        }
        return value
    }

    private static func rounded(_ seconds: Double) -> Double { (seconds * 1000).rounded() / 1000 }
}
