import WireTypes

/// A request without its text: hashes of blocks, each over everything before it too, so that equal hashes mean equal
/// beginnings and nothing else can be told from them.
///
/// Hashes are SipHash with a key that this process drew and never writes down; they cannot be compared with those of
/// another process, nor looked up for known texts.
package enum HashedRecord {
    /// Bytes of a block, and the tokens they are counted as.
    package static let blockBytes = 64
    package static let blockTokens = 16

    /// - Returns: a line for a log; nil for a body without a prompt.
    package static func line(body: [UInt8], time: Double, outputTokens: Int?) -> [UInt8]? {
        guard let request = LogReader.read([body]).requests.first else { return nil }
        var bytes: [UInt8]
        switch request.prompt {
        case .text(let segments): bytes = segments.flatMap { Array($0.text.utf8) }
        // Four bytes a token, the rule of thumb that the blocks follow as well.
        case .tokens(let ids): bytes = ids.flatMap { id in (0..<4).map { UInt8(truncatingIfNeeded: id >> ($0 * 8)) } }
        case .blocks: return nil
        }
        var hashes: [Int] = []
        var chain = Hasher()
        for start in stride(from: 0, to: bytes.count, by: blockBytes) {
            for byte in bytes[start..<min(bytes.count, start + blockBytes)] { chain.combine(byte) }
            // 53 bits survive every JSON reader.
            hashes.append(chain.finalized & 0x1F_FFFF_FFFF_FFFF)
        }
        var writer = JSONWriter()
        writer.object { writer in
            // Milliseconds, as in Mooncake's traces.
            writer.field("timestamp", Int((time * 1000).rounded()))
            writer.field("input_length", bytes.count / 4)
            writer.field("output_length", outputTokens)
            writer.field("block_tokens", blockTokens)
            writer.arrayField("hash_ids") { writer in for hash in hashes { writer.int(hash) } }
        }
        return writer.bytes
    }
}

extension Hasher {
    /// Of what was combined so far.
    fileprivate var finalized: Int {
        let copy = self
        return copy.finalize()
    }
}
