import PrefixCache
import Synchronization

/// Copies of pages on their way down. Bounded, so that a slow disk costs pages that are not stored rather than memory.
///
/// - Note: `@unchecked Sendable` because the buffers are raw memory: each belongs to whoever took it, and the list of
///   free ones is only reached through the lock.
final class StagingMemory: @unchecked Sendable {
    private let pageBytes: Int
    /// Most pages at once.
    let limit: Int
    private let state = Mutex((free: [UnsafeMutableRawBufferPointer](), made: 0))

    /// - Parameter bytes: at most so much memory, but at least one page.
    init(pageBytes: Int, bytes: Int) {
        self.pageBytes = pageBytes
        limit = max(1, bytes / max(1, pageBytes))
    }

    deinit {
        state.withLock { state in
            for buffer in state.free { buffer.deallocate() }
            state.free = []
        }
    }

    /// - Returns: nil if all are taken.
    func copy(of page: UnsafeRawBufferPointer, key: PageKey) -> PageBuffer? {
        let taken: PageBuffer? = state.withLock { state in
            if let buffer = state.free.popLast() { return PageBuffer(key: key, bytes: buffer) }
            guard state.made < limit else { return nil }
            state.made += 1
            return PageBuffer(
                key: key, bytes: UnsafeMutableRawBufferPointer.allocate(byteCount: pageBytes, alignment: 64))
        }
        taken?.bytes.copyMemory(from: page)
        return taken
    }

    func giveBack(_ pages: [PageBuffer]) {
        state.withLock { state in state.free.append(contentsOf: pages.map(\.bytes)) }
    }
}
