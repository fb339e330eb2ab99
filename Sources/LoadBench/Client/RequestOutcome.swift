import WireTypes

/// What one request was like, seen from the client. Times in seconds.
package struct RequestOutcome: Sendable, Equatable {
    /// Place of the item in the dataset, and the round within it.
    package var item: Int
    package var round = 0
    /// When it should have been sent, and when it was, after the start of the run.
    package var planned: Double
    package var start: Double
    package var timeToFirstToken = 0.0
    /// Until the last event.
    package var latency = 0.0
    /// Gaps between tokens. A chunk of several tokens counts as that many equal gaps where the server tells how many.
    package var interTokenTimes: [Double] = []
    package var promptTokens: Int
    package var outputTokens: Int
    /// The server's own counts, where it tells.
    package var serverPromptTokens: Int?
    package var cachedTokens: Int?
    package var cachedByTier: CachedByTier?
    package var text = ""
    /// Streamed events.
    package var chunks = 0
    package var error: String?

    package init(item: Int, planned: Double, start: Double, promptTokens: Int, outputTokens: Int) {
        self.item = item
        self.planned = planned
        self.start = start
        self.promptTokens = promptTokens
        self.outputTokens = outputTokens
    }

    package var isSuccess: Bool { error == nil }

    /// Mean gap after the first token; nil for less than two tokens.
    package var timePerOutputToken: Double? {
        outputTokens > 1 ? (latency - timeToFirstToken) / Double(outputTokens - 1) : nil
    }
}

/// Cached prompt tokens by where they were, as SGLang's servers tell.
package struct CachedByTier: Sendable, Equatable {
    package var device = 0
    package var host = 0
    package var storage = 0
    package var storageBackend: String?

    package init(device: Int = 0, host: Int = 0, storage: Int = 0, storageBackend: String? = nil) {
        self.device = device
        self.host = host
        self.storage = storage
        self.storageBackend = storageBackend
    }
}

/// Reads one answer as it comes in, with the time of each piece: a state machine without clock and network.
package struct AnswerReader: Sendable {
    package private(set) var outcome: RequestOutcome
    private let dialect: ServingBackend.Dialect
    private let streams: Bool
    private var pending: [UInt8] = []
    private var status = 200
    private var text: [UInt8] = []
    private var lastTokenAt = 0.0
    private var lastCount = 0
    private var lastEventAt: Double?
    /// Of an event that could have had text.
    private var firstEventAt: Double?

    package init(_ outcome: RequestOutcome, dialect: ServingBackend.Dialect, streams: Bool) {
        self.outcome = outcome
        self.dialect = dialect
        self.streams = streams
    }

    package mutating func head(status: Int) { self.status = status }

    /// - Parameter now: seconds on the clock of `outcome.start`.
    package mutating func receive(_ bytes: [UInt8], at now: Double) {
        pending += bytes
        guard streams, status == 200 else { return }
        var lineStart = 0
        while let lineEnd = pending[lineStart...].firstIndex(of: 0x0A) {
            line(lineStart..<lineEnd, at: now)
            lineStart = lineEnd + 1
        }
        if lineStart == pending.count {
            pending.removeAll(keepingCapacity: true)
        } else if lineStart > 0 {
            pending.removeFirst(lineStart)
        }
    }

    private mutating func line(_ range: Range<Int>, at now: Double) {
        var start = range.lowerBound
        var end = range.upperBound
        if end > start, pending[end - 1] == 0x0D { end -= 1 }
        // Empty lines and comments carry nothing.
        guard end - start > 5, pending[start..<start + 5].elementsEqual("data:".utf8) else { return }
        start += 5
        if pending[start] == 0x20 { start += 1 }
        lastEventAt = now
        if pending[start..<end].elementsEqual("[DONE]".utf8) { return }
        outcome.chunks += 1
        event(ChunkScanner(pending, start..<end, dialect: dialect), at: now)
    }

    private mutating func event(_ chunk: ChunkScanner, at now: Double) {
        if let count = chunk.promptTokens { outcome.serverPromptTokens = count }
        if let count = chunk.cachedTokens { outcome.cachedTokens = count }
        if let tiers = chunk.cachedByTier { outcome.cachedByTier = tiers }
        if chunk.isError || chunk.finish.map({ pending[$0].elementsEqual("abort".utf8) }) == true {
            outcome.error = chunk.message.map { Self.unescaped(pending[$0]) } ?? "the server ended the stream"
            return
        }
        let hasText = chunk.texts.contains { !$0.isEmpty }
        let count = chunk.completionTokens
        // SGLang's own events tell how many tokens there are, also where those have no text (special tokens).
        let hasTokens = dialect == .generate && count.map { $0 > lastCount } ?? hasText || hasText
        if let count, dialect != .generate || hasTokens { outcome.outputTokens = count }
        guard hasTokens else {
            if dialect != .generate, !chunk.texts.isEmpty || chunk.finish != nil { firstEventAt = firstEventAt ?? now }
            return
        }
        let isFirst = outcome.timeToFirstToken == 0
        if isFirst {
            outcome.timeToFirstToken = now - outcome.start
        } else if dialect == .generate, let count {
            let new = count - lastCount
            guard new > 0 else { return }
            let gap = (now - lastTokenAt) / Double(new)
            for _ in 0..<new { outcome.interTokenTimes.append(gap) }
        } else {
            outcome.interTokenTimes.append(now - lastTokenAt)
        }
        lastTokenAt = now
        lastCount = count ?? lastCount
        if dialect == .generate { text.removeAll(keepingCapacity: true) }
        for range in chunk.texts { text += pending[range] }
    }

    /// The end of the body.
    package mutating func finish(at now: Double) -> RequestOutcome {
        outcome.latency = (lastEventAt ?? now) - outcome.start
        guard status == 200 else {
            let chunk = ChunkScanner(pending, 0..<pending.count, dialect: dialect)
            let words = chunk.message.map { Self.unescaped(pending[$0]) }
            outcome.error = "HTTP \(status): \(words ?? String(decoding: pending.prefix(400), as: UTF8.self))"
            return outcome
        }
        if streams {
            if outcome.chunks == 0, outcome.error == nil { outcome.error = "the stream had no events" }
            // Tokens without any text: the first event that could have had some is the best there is.
            if outcome.timeToFirstToken == 0, outcome.outputTokens > 0, let firstEventAt {
                outcome.timeToFirstToken = firstEventAt - outcome.start
            }
        } else {
            let chunk = ChunkScanner(pending, 0..<pending.count, dialect: dialect)
            outcome.latency = now - outcome.start
            outcome.timeToFirstToken = outcome.latency
            outcome.chunks = 1
            if let count = chunk.completionTokens { outcome.outputTokens = count }
            outcome.serverPromptTokens = chunk.promptTokens
            outcome.cachedTokens = chunk.cachedTokens
            outcome.cachedByTier = chunk.cachedByTier
            for range in chunk.texts { text += pending[range] }
        }
        outcome.text = Self.unescaped(text[...])
        return outcome
    }

    /// The request broke off.
    package mutating func fail(_ reason: String, at now: Double) -> RequestOutcome {
        outcome.latency = now - outcome.start
        outcome.error = reason
        return outcome
    }

    private static func unescaped(_ bytes: ArraySlice<UInt8>) -> String {
        guard bytes.contains(UInt8(ascii: "\\")) else { return String(decoding: bytes, as: UTF8.self) }
        let quoted = [UInt8(ascii: "\"")] + bytes + [UInt8(ascii: "\"")]
        if case .string(let text)? = try? JSONParser.parse(quoted) { return text }
        return String(decoding: bytes, as: UTF8.self)
    }
}
