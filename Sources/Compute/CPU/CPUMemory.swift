import CKernels
import Tensors

// Subclasses override the designated initializer of their base, which nobody calls, because Swift 6.3 warns of
// recursion in the stub that it makes for one that is not.

/// Activations in host memory, rows `columns` apart.
final class CPUTensor: Tensor {
    let data: UnsafeMutablePointer<Float>
    private let region: MemoryRegion

    init(rows: Int, columns: Int, purpose: String) throws(ComputeError) {
        let bytes = try MemoryRegion.size(rows, columns, MemoryLayout<Float>.stride, purpose: purpose)
        region = try MemoryRegion(byteCount: bytes, purpose: purpose)
        data = region.base.assumingMemoryBound(to: Float.self)
        super.init(rows: rows, columns: columns)
    }

    override init(rows: Int, columns: Int) { preconditionFailure("a tensor without memory") }
}

final class CPUVector: Vector {
    let data: UnsafeMutablePointer<Float>
    private let region: MemoryRegion

    init(elements count: Int) throws(ComputeError) {
        let bytes = try MemoryRegion.size(count, MemoryLayout<Float>.stride, purpose: "vector")
        region = try MemoryRegion(byteCount: bytes, purpose: "vector")
        data = region.base.assumingMemoryBound(to: Float.self)
        super.init(count: count)
    }

    override init(count: Int) { preconditionFailure("a vector without memory") }
}

/// Pages in the arrangement of ck_attention.h: a page of all layers is one run of bytes.
package final class CPUKVCache: KVCache {
    private let region: MemoryRegion
    private let dtype: ck_dtype
    private let headStride: Int
    /// Bytes from the start that nothing is left to do for, see `warm`.
    private var warmed = 0

    init(layout: KVLayout, pages: Int) throws(ComputeError) {
        switch layout.dtype {
        case .float8e4m3: dtype = CK_E4M3
        case .int8: dtype = CK_I8
        default:
            guard let dtype = layout.dtype.kernelType else {
                throw .unsupportedDType(tensor: "KV cache", dtype: layout.dtype, supported: KVLayout.dtypes)
            }
            self.dtype = dtype
        }
        headStride = (layout.isLatent ? 1 : 2) * layout.pageSize * layout.bytesPerHead
        region = try MemoryRegion(
            byteCount: try MemoryRegion.size(pages, layout.bytesPerPage, purpose: "KV cache"), purpose: "KV cache")
        super.init(layout: layout, pageCount: pages)
    }

    /// All bytes of one page, for moving it elsewhere and back.
    package func bytes(ofPage page: Int32) -> UnsafeMutableRawBufferPointer {
        precondition(page >= 0 && page < pageCount)
        return UnsafeMutableRawBufferPointer(
            start: region.base + Int(page) * layout.bytesPerPage, count: layout.bytesPerPage)
    }

    package override func warm(beyond used: Int) -> Bool {
        let (slice, ahead) = (2 << 20, 64 << 20)
        let used = used * layout.bytesPerPage
        warmed = max(warmed, used / slice * slice)
        guard warmed < min(region.byteCount, used + ahead) else { return false }
        let end = min(region.byteCount, warmed + slice)
        guard region.populate(warmed..<end) else {
            warmed = region.byteCount
            return false
        }
        warmed = end
        return true
    }

    package override func hostBytes(ofPage page: Int32) -> UnsafeMutableRawBufferPointer? { bytes(ofPage: page) }

    func layer(_ layer: Int) -> ck_kv_layer {
        precondition(layer >= 0 && layer < layout.layers)
        let base = (region.base + layer * layout.keyValueHeads * headStride).assumingMemoryBound(to: UInt8.self)
        return ck_kv_layer(
            base: base, page_stride: layout.bytesPerPage, head_stride: headStride,
            page_size: Int32(layout.pageSize), head_dimension: Int32(layout.headDimension), dtype: dtype,
            latent: layout.isLatent)
    }

    /// Copies the blocks that hold the first `tokens` slots. The rest of the last block comes along; nobody reads it.
    func copy(from source: Int32, to destination: Int32, tokens: Int) {
        let from = bytes(ofPage: source)
        let to = bytes(ofPage: destination)
        let block = CK_BLOCK_TOKENS
        let blocks = (tokens + block - 1) / block
        if blocks * block >= layout.pageSize { return to.copyMemory(from: UnsafeRawBufferPointer(from)) }
        let bytes = headStride / layout.pageSize * block * blocks
        for head in 0..<layout.layers * layout.keyValueHeads {
            let range = head * headStride..<head * headStride + bytes
            UnsafeMutableRawBufferPointer(rebasing: to[range])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: from[range]))
        }
    }
}

final class CPURotary: Rotary {
    let inverseFrequencies: CPUVector
    let amplitude: Float
    let pairing: RotaryPairing
    /// `[rows, pairs]` of the current step.
    let cosines: CPUTensor
    let sines: CPUTensor

    init(
        inverseFrequencies: CPUVector, amplitude: Float, pairing: RotaryPairing, rows: Int
    ) throws(ComputeError) {
        self.inverseFrequencies = inverseFrequencies
        self.amplitude = amplitude
        self.pairing = pairing
        cosines = try CPUTensor(rows: rows, columns: inverseFrequencies.count, purpose: "rotary table")
        sines = try CPUTensor(rows: rows, columns: inverseFrequencies.count, purpose: "rotary table")
        super.init(dimensions: 2 * inverseFrequencies.count)
    }

    override init(dimensions: Int) { preconditionFailure("a table without memory") }
}

// A backend gets only what it made itself: anything else is a mistake in this package.
extension Tensor {
    var cpu: CPUTensor {
        precondition(type(of: self) == CPUTensor.self)
        return unsafeDowncast(self, to: CPUTensor.self)
    }
}

extension Vector {
    var cpu: CPUVector {
        precondition(type(of: self) == CPUVector.self)
        return unsafeDowncast(self, to: CPUVector.self)
    }
}

extension Rotary {
    var cpu: CPURotary {
        precondition(type(of: self) == CPURotary.self)
        return unsafeDowncast(self, to: CPURotary.self)
    }
}

extension KVCache {
    var cpu: CPUKVCache {
        precondition(type(of: self) == CPUKVCache.self)
        return unsafeDowncast(self, to: CPUKVCache.self)
    }
}

extension DType {
    /// The types the kernels read.
    static let kernelTypes: [DType] = [.float32, .float16, .bfloat16]

    var kernelType: ck_dtype? {
        switch self {
        case .float32: CK_F32
        case .float16: CK_F16
        case .bfloat16: CK_BF16
        default: nil
        }
    }
}
