import Checkpoint
import Compute

/// Packed weights that are kept from start to start: loading again maps them.
package struct WeightCacheUse: Sendable {
    private let directory: String
    private let note: @Sendable (String) -> Void

    /// - Parameters:
    ///   - directory: made if it is missing.
    ///   - note: told, a sentence each, what was found and what did not work. Loading goes on in any case.
    package init(directory: String, note: @escaping @Sendable (String) -> Void) {
        self.directory = directory
        self.note = note
    }

    /// - Parameter settings: what the weights become beside what they are.
    func open(_ files: ModelFiles, settings: String, on backend: any Backend) {
        guard let identity = files.identity() else {
            return note("--weight-cache-dir: a model that is not in files has none.")
        }
        switch backend.openWeightCache(directory, key: "\(identity)\n\(settings)") {
        case .mapped(let bytes, let path): note("Packed weights: \(bytes >> 20) MiB mapped from \(path).")
        case .absent: note("Packed weights: none in \(directory) yet; they will be there for the next start.")
        case .unusable(let reason): note("Warning: --weight-cache-dir: \(reason); the weights are packed again.")
        }
    }

    func close(on backend: any Backend) {
        if let failure = backend.closeWeightCache() {
            note("Warning: --weight-cache-dir: packed weights could not be kept: \(failure).")
        }
    }
}
