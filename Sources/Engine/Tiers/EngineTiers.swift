import Checkpoint
import Compute
package import PrefixCache
import Tensors

/// The lower tiers of the KV pool, as the operator wants them. They come as a factory, because their pages depend on
/// the model, and so that the engine does not name what they are made of.
package struct EngineTiers: Sendable {
    package var writePolicy: TierWritePolicy
    /// Opens what can be opened, fastest first, and reports what cannot: serving goes on without. Called once, on the
    /// engine thread, before the engine is ready.
    package var open: @Sendable (PageRecord) -> [any CacheTier]

    package init(writePolicy: TierWritePolicy, open: @escaping @Sendable (PageRecord) -> [any CacheTier]) {
        self.writePolicy = writePolicy
        self.open = open
    }
}

/// Everything that the bits of a page depend on besides its tokens.
enum PageFingerprint {
    /// - Parameters:
    ///   - files: config and weights are read whole, at the speed of memory: a model that differs in one byte is
    ///     another model.
    ///   - weights: how the weights were converted at load.
    ///   - backend: its kernel path is part of it, since another path rounds otherwise. So is this program's own file:
    ///     another build may round otherwise too.
    /// - Throws: `CheckpointError` if a file cannot be read.
    static func make(
        files: ModelFiles, weights: String, layout: KVLayout, backend: BackendInformation
    ) throws -> TierFingerprint {
        var parts: [[UInt8]] = []
        for name in files.names where name == "config.json" || name.hasSuffix(".safetensors") || name.hasSuffix(".gguf")
        {
            guard let file = try files.mapped(name) else { continue }
            parts.append(Array(name.utf8))
            parts.append(contents(of: file))
        }
        let text =
            "\(layout.layers) \(layout.keyValueHeads) \(layout.headDimension) \(layout.pageSize) "
            + "\(layout.dtype.rawValue) \(backend.name) \(backend.kernels)"
        parts.append(Array(text.utf8))
        parts.append(Array(weights.utf8))
        parts.append(contents(of: try MappedFile(path: "/proc/self/exe")))
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
