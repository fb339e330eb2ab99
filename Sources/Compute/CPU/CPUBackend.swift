import CKernels
import Glibc
package import Tensors

/// The backend for processors: kernels in C chosen once for the machine, run by a pool of persistent threads.
///
/// Environment: `RADISH_CPU` names a kernel path (so that lower paths can be tried on better machines), `RADISH_PIN=0`
/// leaves threads unpinned.
package final class CPUBackend: Backend {
    package let information: BackendInformation
    let kernels: ck_kernels
    let pool: WorkerPool
    /// Activations as the multiply kernels want them.
    let linearScratch = ScratchArena(purpose: "rounded activations")
    /// A block of a gated product, for each worker.
    let gatedScratch = ScratchArena(purpose: "gated products")
    /// Page and slot of each row of a step.
    let slotScratch = ScratchArena(purpose: "slots of a step")
    /// Queries and softmax states, for each worker.
    let attentionScratch = ScratchArena(purpose: "attention scratch")
    /// States of splits that other workers merge.
    let partialScratch = ScratchArena(purpose: "attention splits")
    let samplingScratch = ScratchArena(purpose: "sampling scratch")
    var attentionPlan = AttentionPlan()
    /// While weights are loaded.
    var weightCache: WeightCache?

    /// - Parameters:
    ///   - kernels: a name of `availableKernelPaths`; nil: `RADISH_CPU`, or the best of them.
    ///   - threads: nil: one for each core the process and its container may use.
    ///   - pin: ties each thread to one CPU of the inherited mask (worker 0, the caller, only during steps), if there
    ///     are enough of them.
    /// - Throws: `unknownKernelPath`, or `outOfMemory` if not even a pool can be had.
    package init(kernels name: String?, threads: Int?, pin: Bool) throws(ComputeError) {
        let requested = name ?? Self.environment("RADISH_CPU")
        if let requested {
            guard let found = Self.paths().first(where: { $0.name == requested }) else {
                throw .unknownKernelPath(requested: requested, available: Self.availableKernelPaths())
            }
            kernels = found.kernels
        } else {
            kernels = ck_kernels_best().pointee
        }
        let host = HostInfo.current()
        let pinned = pin && Self.environment("RADISH_PIN") != "0"
        pool = try WorkerPool(threads: max(1, min(threads ?? host.threads, 1024)), cpus: pinned ? host.cpus : nil)
        try gatedScratch.reserve(Self.gatedScratchBytes(pool.threads))
        information = BackendInformation(
            name: "cpu", kernels: String(cString: kernels.name), threads: pool.threads)
    }

    /// Kernel paths this machine can run, worst first.
    package static func availableKernelPaths() -> [String] { paths().map(\.name) }

    private static func paths() -> [(name: String, kernels: ck_kernels)] {
        [CK_PLAIN, CK_AVX2, CK_AVX512, CK_AVX512BF16].compactMap { path in
            ck_kernels_for(path).map { (String(cString: $0.pointee.name), $0.pointee) }
        }
    }

    private static func environment(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        let text = String(cString: value)
        return text.isEmpty ? nil : text
    }

    package func beginStep() { pool.beginStep() }
    package func endStep() { pool.endStep() }

    // MARK: Memory. Scratch grows here, so that no step has to.

    package func makeTensor(rows: Int, columns: Int) throws(ComputeError) -> Tensor {
        let tensor = try CPUTensor(rows: rows, columns: columns, purpose: "activations")
        try linearScratch.reserve(Self.linearScratchBytes(rows: rows, columns: columns))
        try samplingScratch.reserve(
            try MemoryRegion.size(
                LogitsSampler.scratchBytes(vocabulary: columns), pool.threads, purpose: "sampling scratch"))
        return tensor
    }

    package func makeVector(_ parts: [TensorView]) throws(ComputeError) -> Vector {
        let vector = try CPUVector(elements: parts.reduce(0) { $0 + $1.elementCount })
        var offset = 0
        for part in parts {
            guard let dtype = part.dtype.kernelType else {
                throw .unsupportedDType(tensor: part.name, dtype: part.dtype, supported: DType.kernelTypes)
            }
            ck_widen(part.bytes.baseAddress, dtype, part.elementCount, vector.data + offset)
            offset += part.elementCount
        }
        return vector
    }

    package func makeKVCache(_ layout: KVLayout, pages: Int) throws(ComputeError) -> KVCache {
        precondition(layout.pageSize > 0 && layout.pageSize % CK_BLOCK_TOKENS == 0)
        precondition(layout.headDimension > 0 && layout.headDimension % 8 == 0)
        let cache = try CPUKVCache(layout: layout, pages: pages)
        try attentionScratch.reserve(attentionScratchStride(layout.headDimension) * pool.threads)
        try partialScratch.reserve(Self.partialBytes(threads: pool.threads))
        return cache
    }

    package func makeRotary(
        inverseFrequencies: [Float], amplitude: Float, pairing: RotaryPairing, rows: Int
    ) throws(ComputeError) -> Rotary {
        let frequencies = try CPUVector(elements: inverseFrequencies.count)
        for (index, value) in inverseFrequencies.enumerated() { frequencies.data[index] = value }
        try slotScratch.reserve(2 * rows * MemoryLayout<Int32>.stride)
        return try CPURotary(inverseFrequencies: frequencies, amplitude: amplitude, pairing: pairing, rows: rows)
    }
}
