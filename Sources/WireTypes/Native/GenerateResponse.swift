/// One answer of SGLang's `/generate`: the same object for a whole answer and for each event of a stream, where text
/// and ids are those since the beginning.
///
/// The text is kept as escaped JSON that only grows, so an event costs a copy, not a new rendering.
package struct GenerateAnswer: Sendable {
    private var text: [UInt8] = []
    private var ids: [UInt8] = []
    private var logprobs = Logprobs()
    private let writesLogprobs: Bool
    private let returnsText: Bool
    private let topCount: Int
    private let writesAsked: Bool

    package var requestID: String
    package private(set) var completionTokens = 0
    package var promptTokens = 0
    package var cachedTokens = 0
    package var cachedDetails = CachedTokensDetails()
    package var finish: FinishedBy?
    /// What the prefix cache did, as JSON; nil where not asked for.
    package var cacheReport: [UInt8]?
    /// Seconds from arrival to the last token; nil while running.
    package var latency: Double?

    private struct Logprobs: Sendable {
        var tokens: [UInt8] = []
        var top: [UInt8] = []
        var asked: [UInt8] = []
    }

    private var promptLogprobs = Logprobs()

    /// - Parameters:
    ///   - topLogprobs: nil: none; otherwise this many alternatives.
    ///   - returnsText: the token's text beside its id.
    ///   - writesAsked: tokens were asked for by id.
    package init(requestID: String, topLogprobs: Int?, returnsText: Bool, writesAsked: Bool = false) {
        self.writesAsked = writesAsked
        self.requestID = requestID
        writesLogprobs = topLogprobs != nil
        topCount = topLogprobs ?? 0
        self.returnsText = returnsText
    }

    package mutating func append(text piece: String) { JSONWriter.appendEscaped(piece, to: &text) }

    package mutating func append(id: Int32) {
        if !ids.isEmpty { ids.append(UInt8(ascii: ",")) }
        ids.append(contentsOf: String(id).utf8)
        completionTokens += 1
    }

    package mutating func append(_ token: TokenLogprobs) { append(token, to: &logprobs) }

    /// A token of the prompt.
    package mutating func append(prompt token: TokenLogprobs) { append(token, to: &promptLogprobs) }

    private func append(_ token: TokenLogprobs, to lists: inout Logprobs) {
        var writer = JSONWriter()
        triple(token.token, to: &writer)
        Self.append(writer, to: &lists.tokens)
        // Nothing can be said of a token that follows nothing.
        let isFirst = token.token.logprob == nil
        writer = JSONWriter()
        if isFirst { writer.null() } else { triples(token.top, to: &writer) }
        Self.append(writer, to: &lists.top)
        writer = JSONWriter()
        if isFirst { writer.null() } else { triples(token.asked, to: &writer) }
        Self.append(writer, to: &lists.asked)
    }

    private func triples(_ candidates: [TokenLogprobs.Candidate], to writer: inout JSONWriter) {
        writer.array { writer in for other in candidates { triple(other, to: &writer) } }
    }

    private static func append(_ element: JSONWriter, to list: inout [UInt8]) {
        if !list.isEmpty { list.append(UInt8(ascii: ",")) }
        list += element.bytes
    }

    /// `[log-probability, id, text or null]`
    private func triple(_ candidate: TokenLogprobs.Candidate, to writer: inout JSONWriter) {
        writer.array { writer in
            writer.float(candidate.logprob)
            writer.int(Int(candidate.id))
            writer.optional(returnsText ? candidate.text : nil)
        }
    }

    /// - Parameter index: place of the prompt in a batch; nil for a single one.
    package func write(index: Int?, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("text")
            writer.raw([UInt8(ascii: "\"")] + text + [UInt8(ascii: "\"")])
            writer.name("output_ids")
            writer.raw(Self.bracketed(ids))
            writer.objectField("meta_info") { writer in metaInfo(to: &writer) }
            if let index { writer.field("index", index) }
        }
    }

    private func metaInfo(to writer: inout JSONWriter) {
        writer.field("id", requestID)
        writer.name("finish_reason")
        writeFinish(to: &writer)
        writer.field("prompt_tokens", promptTokens)
        writer.field("completion_tokens", completionTokens)
        writer.field("cached_tokens", min(cachedTokens, promptTokens))
        // As in SGLang: absent on a miss.
        if cachedTokens > 0 {
            writer.name("cached_tokens_details")
            cachedDetails.write(to: &writer)
        }
        writer.field("weight_version", "default")
        if writesLogprobs {
            for (name, lists) in [("input", promptLogprobs), ("output", logprobs)] {
                writer.name(name + "_token_logprobs")
                writer.raw(Self.bracketed(lists.tokens))
                if topCount > 0 {
                    writer.name(name + "_top_logprobs")
                    writer.raw(Self.bracketed(lists.top))
                }
                if writesAsked {
                    writer.name(name + "_token_ids_logprobs")
                    writer.raw(Self.bracketed(lists.asked))
                }
            }
        }
        if let latency { writer.field("e2e_latency", latency) }
        if let cacheReport {
            writer.name("cache_report")
            writer.raw(cacheReport)
        }
    }

    private func writeFinish(to writer: inout JSONWriter) {
        guard let finish else { return writer.null() }
        writer.object { writer in
            writer.field("type", finish.name)
            switch finish {
            case .stopToken, .stopString, .complete, .toolCalls:
                writer.name("matched")
                finish.writeMatched(to: &writer)
            case .length: writer.field("length", completionTokens)
            case .abort(let message): writer.field("message", message)
            }
        }
    }

    private static func bracketed(_ elements: [UInt8]) -> [UInt8] {
        [UInt8(ascii: "[")] + elements + [UInt8(ascii: "]")]
    }
}
