import EngineInterface
import TextGeneration
import Tokenizers
import WireTypes

/// Log-probabilities with the texts of their tokens.
struct TokenTexts: Sendable {
    let tokenizer: Tokenizer
    /// The answer's text has special tokens as they are spelled.
    var showsSpecialTokens = false

    func logprobs(_ tokens: some Sequence<GeneratedToken>) -> [TokenLogprobs] {
        tokens.map { token in
            TokenLogprobs(
                token: candidate(token.id, token.logprob),
                top: token.top.map { candidate($0.id, $0.logprob) },
                asked: token.asked.map { candidate($0.id, $0.logprob) })
        }
    }

    private func candidate(_ id: Int32, _ logprob: Float?) -> TokenLogprobs.Candidate {
        // Special tokens stand for no text; they are shown as they are spelled.
        let own = tokenizer.bytes(ofID: id)
        let bytes = own ?? Array((tokenizer.token(ofID: id) ?? "").utf8)
        return TokenLogprobs.Candidate(
            id: id, text: String(decoding: bytes, as: UTF8.self), bytes: bytes, logprob: logprob,
            isShown: own != nil || showsSpecialTokens)
    }
}

/// Tokens whose text has not been sent yet. Held back, because only the end tells whether the last of them is the
/// stop token, which is no part of the answer.
struct HeldTokens: Sendable {
    private var tokens: [GeneratedToken] = []

    /// - Returns: the tokens that go with the update's text.
    mutating func release(with update: AnswerUpdate) -> [GeneratedToken] {
        tokens += update.tokens
        if let finish = update.finish {
            if case .stopToken(let id) = finish.reason, tokens.last?.id == id { tokens.removeLast() }
        } else if !update.hasText {
            return []
        }
        defer { tokens = [] }
        return tokens
    }
}

extension FinishedBy {
    /// Why an answer ended whose calls are told apart from its text.
    init(_ finish: TextFinish) {
        self.init(finish.reason)
        switch self {
        case .stopToken, .stopString, .complete: if finish.calls > 0 { self = .toolCalls }
        case .toolCalls, .length, .abort: break
        }
    }

    init(_ reason: TextFinish.Reason) {
        switch reason {
        case .stopToken(let id): self = .stopToken(id)
        case .stopString(let text): self = .stopString(text)
        case .complete: self = .complete
        case .length: self = .length
        case .aborted: self = .abort("The request was aborted.")
        case .failed(let error): self = .abort("\(error)")
        }
    }
}
