import LoadBench

/// A tokenizer without surprises: each byte of ASCII is a token.
let byteCodec = PromptCodec(
    vocabularySize: 128, addedTokens: 1, specialIDs: Set(0..<32),
    encode: { $0.utf8.map { Int32($0) } },
    decode: { String(decoding: $0.map { UInt8(truncatingIfNeeded: $0) }, as: UTF8.self) },
    renderChat: { "<user>\($0)</user>" })
