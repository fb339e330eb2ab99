/// A generated token with its log-probability and its most likely alternatives, as text.
package struct TokenLogprobs: Sendable, Equatable {
    package struct Candidate: Sendable, Equatable {
        package var id: Int32
        /// U+FFFD for bytes that are no UTF-8 by themselves; `bytes` has them exactly.
        package var text: String
        package var bytes: [UInt8]
        /// Nil for the first token of all, which follows nothing.
        package var logprob: Float?
        /// False where the answer's text leaves it out, as special tokens.
        package var isShown: Bool

        package init(id: Int32, text: String, bytes: [UInt8], logprob: Float?, isShown: Bool = true) {
            self.id = id
            self.text = text
            self.bytes = bytes
            self.logprob = logprob
            self.isShown = isShown
        }

        /// Characters (Unicode scalars) of the answer's text that begin in it: what goes on with one that began before
        /// is none.
        var characters: Int { isShown ? bytes.count { $0 & 0xC0 != 0x80 } : 0 }
    }

    package var token: Candidate
    /// Most likely first.
    package var top: [Candidate]
    /// Tokens whose log-probability the request asked for by id.
    package var asked: [Candidate]

    package init(token: Candidate, top: [Candidate], asked: [Candidate] = []) {
        self.token = token
        self.top = top
        self.asked = asked
    }
}

/// What the token log-probabilities look like in a chat answer.
package enum ChatLogprobs {
    /// The value of `choices[].logprobs`.
    package static func write(_ tokens: [TokenLogprobs], to writer: inout JSONWriter) {
        writer.object { writer in
            writer.arrayField("content") { writer in
                for token in tokens {
                    writer.object { writer in
                        candidate(token.token, to: &writer)
                        writer.arrayField("top_logprobs") { writer in
                            for other in token.top { writer.object { candidate(other, to: &$0) } }
                        }
                    }
                }
            }
            writer.nullField("refusal")
        }
    }

    private static func candidate(_ candidate: TokenLogprobs.Candidate, to writer: inout JSONWriter) {
        writer.field("token", candidate.text)
        writer.name("logprob")
        writer.float(candidate.logprob)
        writer.arrayField("bytes") { writer in for byte in candidate.bytes { writer.int(Int(byte)) } }
    }
}

/// What the token log-probabilities look like in a text completion.
package enum CompletionLogprobs {
    /// Characters of text that begin in these tokens.
    package static func characters(_ tokens: [TokenLogprobs]) -> Int { tokens.reduce(0) { $0 + $1.token.characters } }

    /// The value of `choices[].logprobs`.
    /// - Parameter offset: characters (Unicode scalars) of text before the first token.
    package static func write(_ tokens: [TokenLogprobs], offset: Int, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.arrayField("tokens") { writer in for token in tokens { writer.string(token.token.text) } }
            writer.arrayField("token_logprobs") { writer in
                for token in tokens { writer.float(token.token.logprob) }
            }
            writer.arrayField("top_logprobs") { writer in
                for token in tokens {
                    guard token.token.logprob != nil else {
                        writer.null()
                        continue
                    }
                    writer.object { writer in
                        var names: Set<String> = []
                        for other in token.top where names.insert(other.text).inserted {
                            writer.name(other.text)
                            writer.float(other.logprob)
                        }
                    }
                }
            }
            writer.arrayField("text_offset") { writer in
                var position = offset
                for token in tokens {
                    writer.int(position)
                    position += token.token.characters
                }
            }
        }
    }
}

/// vLLM's `prompt_logprobs`: one entry for each token of the prompt.
package enum PromptLogprobList {
    /// Null for the first token; otherwise an object by token id. The rank is known for the alternatives only.
    package static func write(_ tokens: [TokenLogprobs], to writer: inout JSONWriter) {
        writer.array { writer in
            for token in tokens {
                guard token.token.logprob != nil else {
                    writer.null()
                    continue
                }
                writer.object { writer in
                    let place = token.top.firstIndex { $0.id == token.token.id }
                    candidate(token.token, rank: place, to: &writer)
                    for (rank, other) in token.top.enumerated() where rank != place {
                        candidate(other, rank: rank, to: &writer)
                    }
                }
            }
        }
    }

    private static func candidate(_ candidate: TokenLogprobs.Candidate, rank: Int?, to writer: inout JSONWriter) {
        writer.objectField(String(candidate.id)) { writer in
            writer.name("logprob")
            writer.float(candidate.logprob)
            writer.field("rank", rank.map { $0 + 1 })
            writer.field("decoded_token", candidate.text)
        }
    }
}
