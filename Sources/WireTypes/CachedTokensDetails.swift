/// SGLang's `cached_tokens_details`: where the cached tokens of a prompt were found.
package struct CachedTokensDetails: Sendable, Equatable {
    /// In the KV pool the model reads.
    package var device = 0
    /// In further main memory.
    package var host = 0
    /// On disk or in a server that several engines share.
    package var storage = 0
    /// What kind of storage, `file` or `redis`; nil where nothing came from any.
    package var storageBackend: String?

    package init() {}

    package static func += (sum: inout CachedTokensDetails, other: CachedTokensDetails) {
        sum.device += other.device
        sum.host += other.host
        sum.storage += other.storage
        sum.storageBackend = sum.storageBackend ?? other.storageBackend
    }

    package func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("device", device)
            writer.field("host", host)
            guard let storageBackend else { return }
            writer.field("storage", storage)
            writer.field("storage_backend", storageBackend)
        }
    }

    /// The value of `sglext`, SGLang's extension of OpenAI's answers.
    var extensionJSON: [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.name("cached_tokens_details")
            write(to: &writer)
        }
        return writer.bytes
    }
}
