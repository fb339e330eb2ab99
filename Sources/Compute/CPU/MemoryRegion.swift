import CKernels
import Glibc

/// Zeroed memory straight from the system, aligned to 64 bytes or more and given back as a whole. Regions of several
/// megabytes sit on huge pages where the system allows it.
final class MemoryRegion {
    let base: UnsafeMutableRawPointer
    let byteCount: Int
    private let mapping: UnsafeMutableRawPointer
    private let mappedBytes: Int

    private static let hugePage = 2 << 20

    /// - Parameter purpose: named in the error, for example `KV cache`.
    init(byteCount: Int, purpose: String) throws(ComputeError) {
        let huge = byteCount >= 2 * Self.hugePage
        // Room to move the start to the next huge page.
        let (mapped, overflow) = max(byteCount, 1).addingReportingOverflow(huge ? Self.hugePage : 0)
        guard byteCount >= 0, !overflow else { throw .outOfMemory(bytes: byteCount, purpose: purpose) }
        guard let mapping = mmap(nil, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            mapping != MAP_FAILED
        else { throw .outOfMemory(bytes: byteCount, purpose: purpose) }
        self.mapping = mapping
        self.mappedBytes = mapped
        self.byteCount = byteCount
        if huge {
            let address = (UInt(bitPattern: mapping) + UInt(Self.hugePage - 1)) & ~UInt(Self.hugePage - 1)
            base = mapping + (Int(bitPattern: address) - Int(bitPattern: mapping))
            // Advice: refused where huge pages are turned off.
            _ = madvise(base, byteCount, MADV_HUGEPAGE)
        } else {
            base = mapping
        }
    }

    deinit { munmap(mapping, mappedBytes) }

    /// Has the system supply part of the memory now, which it otherwise does, and clears it, at the first write.
    ///
    /// - Parameter range: begins on a page of the system.
    /// - Returns: false where the system cannot (Linux before 5.14, or no memory left).
    func populate(_ range: Range<Int>) -> Bool {
        // MADV_POPULATE_WRITE, which older headers lack.
        madvise(base + range.lowerBound, range.count, 23) == 0
    }

    /// Product of sizes, or `outOfMemory` where no machine could hold it.
    static func size(_ factors: Int..., purpose: String) throws(ComputeError) -> Int {
        var result = 1
        for factor in factors {
            let (product, overflow) = result.multipliedReportingOverflow(by: factor)
            if overflow { throw .outOfMemory(bytes: Int.max, purpose: purpose) }
            result = product
        }
        return result
    }
}
