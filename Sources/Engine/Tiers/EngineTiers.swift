import Checkpoint
import Compute
package import PrefixCache
import Tensors

/// The lower tiers of the KV pool, as the operator wants them. They come as a factory, because their pages depend on
/// the model, and so that the engine does not name what they are made of.
package struct EngineTiers: Sendable {
    package var writePolicy: TierWritePolicy
    /// Of the program: another version never uses this one's pages.
    package var version: String
    /// Opens what can be opened, fastest first, and reports what cannot: serving goes on without. Called once, on the
    /// engine thread, before the engine is ready.
    package var open: @Sendable (PageRecord) -> [any CacheTier]

    package init(
        writePolicy: TierWritePolicy, version: String, open: @escaping @Sendable (PageRecord) -> [any CacheTier]
    ) {
        self.writePolicy = writePolicy
        self.version = version
        self.open = open
    }
}

/// Everything that the bits of a page depend on besides its tokens.
///
/// Not the program's file: the same source built again, or another day, gives the same bits, and a restart must find its
/// cache. What a build computes is asked of the build itself: the pages of a fixed prompt, which the self-check has
/// just made, are part of the fingerprint. So a compiler, a library or a kernel that rounds otherwise has another one.
enum PageFingerprint {
    /// - Parameters:
    ///   - files: config and weights are read whole, at the speed of memory: a model that differs in one byte is
    ///     another model.
    ///   - weights: how the weights were converted at load.
    ///   - probePages: leading pages of `cache` that hold the self-check's prompt.
    ///   - backend: its kernel path is part of it, since another path rounds otherwise.
    ///   - version: of the program, for what a short prompt does not show.
    /// - Throws: `CheckpointError` if a file cannot be read.
    static func make(
        files: ModelFiles, weights: String, cache: KVCache, probePages: Int, backend: BackendInformation,
        version: String
    ) throws -> TierFingerprint {
        var parts: [[UInt8]] = []
        for name in files.names where name == "config.json" || name.hasSuffix(".safetensors") || name.hasSuffix(".gguf")
        {
            guard let file = try files.mapped(name) else { continue }
            parts.append(Array(name.utf8))
            parts.append(contents(of: file))
        }
        let layout = cache.layout
        let text =
            "\(layout.layers) \(layout.keyValueHeads) \(layout.headDimension) \(layout.pageSize) "
            + "\(layout.dtype.rawValue) \(backend.name) \(backend.kernels) \(version)"
        parts.append(Array(text.utf8))
        parts.append(Array(weights.utf8))
        for page in 0..<Int32(probePages) {
            guard let bytes = cache.hostBytes(ofPage: page) else { continue }
            parts.append(Digest.of(UnsafeRawBufferPointer(bytes), key: nil))
        }
        return TierFingerprint(parts: parts)
    }

    /// Size and checksum.
    private static func contents(of file: MappedFile) -> [UInt8] {
        withExtendedLifetime(file) {
            let sum = file.bytes(0..<file.count).map { Digest.checksum($0) } ?? 0
            return Array("\(file.count) \(sum)".utf8)
        }
    }
}
