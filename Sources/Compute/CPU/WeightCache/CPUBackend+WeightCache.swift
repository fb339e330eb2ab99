import CKernels
import CPageHash
import Glibc

/// Packed weights on disk, so that the next start maps them instead of packing them.
final class WeightCache {
    fileprivate let path: String
    fileprivate let key: String
    fileprivate var file: WeightCacheFile?
    fileprivate var packed: [(name: String, weight: CPUPackedWeight)] = []

    fileprivate init(path: String, key: String) {
        self.path = path
        self.key = key
    }
}

extension CPUBackend {
    package func openWeightCache(_ directory: String, key: String) -> WeightCacheState {
        // Whatever the layout depends on beside the weights: a path that packed otherwise would be another layout.
        let key = "\(key)\nkernels \(information.kernels)"
        var path = directory
        while path.count > 1 && path.hasSuffix("/") { path.removeLast() }
        path += "/" + Self.digest(key) + ".weights"
        if mkdir(directory, 0o700) != 0, errno != EEXIST {
            return .unusable("\(directory) cannot be made: \(WeightCacheFile.systemText(errno))")
        }
        let cache = WeightCache(path: path, key: key)
        weightCache = cache
        do {
            let file = try WeightCacheFile(path: path, key: key)
            guard isIntact(file) else { return .unusable("\(path) has damaged weights") }
            cache.file = file
            return .mapped(bytes: file.byteCount, path: path)
        } catch {
            switch error {
            case .absent: return .absent
            case .unusable(let reason): return .unusable("\(path) \(reason)")
            }
        }
    }

    private func isIntact(_ file: WeightCacheFile) -> Bool {
        let pieces = file.entries.indices.flatMap { entry in
            file.entries[entry].checksums.indices.map { (entry, $0) }
        }
        var intact = [Bool](repeating: false, count: pieces.count)
        intact.withUnsafeMutableBufferPointer { intact in
            // Each worker writes the answers for its own pieces.
            nonisolated(unsafe) let intact = intact
            pool.forEach(pieces.count) { index, _ in
                let (entry, piece) = pieces[index]
                intact[index] = file.isIntact(file.entries[entry], piece: piece)
            }
        }
        return intact.allSatisfy { $0 }
    }

    private static func digest(_ key: String) -> String {
        var digest = [UInt8](repeating: 0, count: Int(PAGEHASH_DIGEST_BYTES))
        let bytes = Array(key.utf8)
        bytes.withUnsafeBytes { pagehash_digest(nil, $0.baseAddress, $0.count, &digest) }
        return digest.prefix(16).map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0" + text : text
        }.joined()
    }

    package func cachedWeight(_ name: String) -> PackedWeight? {
        guard let file = weightCache?.file, let entry = file.entries.first(where: { $0.name == name }),
            let format = WeightFormat(rawValue: entry.format), let bytes = file.bytes(entry)
        else { return nil }
        return CPUPackedWeight(
            outputs: entry.outputs, inputs: entry.inputs, dtype: ck_dtype(entry.dtype), format: format,
            coded: entry.coded, bytes: bytes, byteCount: entry.byteCount, owner: file)
    }

    package func cache(_ weight: PackedWeight, as name: String) {
        if let cache = weightCache, cache.file == nil { cache.packed.append((name, weight.cpu)) }
    }

    package func closeWeightCache() -> String? {
        defer { weightCache = nil }
        guard let cache = weightCache, cache.file == nil, !cache.packed.isEmpty else { return nil }
        do {
            try WeightCacheWriter.write(cache.packed, key: cache.key, to: cache.path, pool: pool)
            return nil
        } catch {
            return error.text
        }
    }
}
