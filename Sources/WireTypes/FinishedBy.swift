/// Why an answer ended, as the APIs name it.
package enum FinishedBy: Sendable, Equatable {
    /// End of sequence, or a stop token: its id.
    case stopToken(Int32)
    case stopString(String)
    /// The constraint leaves nothing that could follow.
    case complete
    /// As `stopToken` or `stopString`, of an answer that calls functions.
    case toolCalls
    /// `max_tokens` reached or the context full.
    case length
    /// Ended by the server or by an abort request; the text so far is there.
    case abort(String)

    /// OpenAI's word; `abort` is SGLang's.
    package var name: String {
        switch self {
        case .stopToken, .stopString, .complete: "stop"
        case .toolCalls: "tool_calls"
        case .length: "length"
        case .abort: "abort"
        }
    }

    /// SGLang's `matched_stop`: what stopped the text, if it was a token or a string.
    func writeMatched(to writer: inout JSONWriter) {
        switch self {
        case .stopToken(let id): writer.int(Int(id))
        case .stopString(let text): writer.string(text)
        case .complete, .toolCalls, .length, .abort: writer.null()
        }
    }
}
