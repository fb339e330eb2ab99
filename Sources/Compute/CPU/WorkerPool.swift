import CKernels
import Glibc

/// The persistent threads of a backend (design and costs: ck_pool.h). Used from one thread, which is worker 0.
final class WorkerPool {
    private let pool: OpaquePointer
    let threads: Int

    /// - Parameters:
    ///   - threads: at least 1.
    ///   - cpus: where to pin them; nil or too few: not at all.
    init(threads: Int, cpus: [Int32]?) throws(ComputeError) {
        let created: OpaquePointer? =
            if let cpus, cpus.count >= threads { ck_pool_create(Int32(threads), cpus) } else {
                ck_pool_create(Int32(threads), nil)
            }
        guard let created else { throw .outOfMemory(bytes: 1 << 12, purpose: "worker pool") }
        pool = created
        self.threads = Int(ck_pool_threads(created))
    }

    deinit { ck_pool_destroy(pool) }

    func beginStep() { ck_pool_begin(pool) }
    func endStep() { ck_pool_end(pool) }

    /// How a region is divided.
    enum Sharing {
        /// One range for each worker: even work, short regions.
        case even
        /// Ranges of the grain to whoever is free: uneven work, or regions above 100 µs, which another thread of the
        /// process may disturb.
        case onDemand
    }

    /// Runs a C kernel over `0 ..< count`; a range has at least `grain` indices.
    func run<Call>(_ function: ck_range_fn, _ call: Call, count: Int, grain: Int, _ sharing: Sharing = .even) {
        withUnsafePointer(to: call) {
            ck_pool_run(pool, function, $0, Int32(count), Int32(clamping: grain), sharing == .onDemand)
        }
    }

    /// Runs `body(index, worker)` for each index of `0 ..< count`, on demand. For a few long pieces: the closure may be
    /// allocated.
    func forEach(_ count: Int, _ body: (_ index: Int, _ worker: Int) -> Void) {
        withoutActuallyEscaping(body) { body in
            run(
                { call, begin, end, worker in
                    // The region ends before `forEach` returns, so the closure is alive; workers only read it.
                    guard let body = call?.assumingMemoryBound(to: Body.self) else { return }
                    for index in begin..<end { body.pointee.run(Int(index), Int(worker)) }
                }, Body(run: body), count: count, grain: 1, .onDemand)
        }
    }

    private struct Body { var run: (Int, Int) -> Void }
}
