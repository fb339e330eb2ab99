/// Working memory of an operation. Grown while a model loads (`reserve`), so that a step neither allocates nor fails.
/// Memory that no step touches costs address space only.
final class ScratchArena {
    private let purpose: String
    private var region: MemoryRegion?

    init(purpose: String) { self.purpose = purpose }

    var byteCount: Int { region?.byteCount ?? 0 }

    /// Makes room for `bytes`. Contents are lost.
    func reserve(_ bytes: Int) throws(ComputeError) {
        if bytes > byteCount { region = try MemoryRegion(byteCount: bytes, purpose: purpose) }
    }

    /// The start, for a use that was reserved.
    func pointer(_ bytes: Int) -> UnsafeMutableRawPointer {
        guard let region, bytes <= region.byteCount else {
            preconditionFailure("\(purpose): \(bytes) bytes used, \(byteCount) reserved")
        }
        return region.base
    }
}
