import Statistics
import Tensors

/// Bytes that matrices of any shape are read from: finite numbers of both signs, of a magnitude from 0.5 to 1.
final class RandomWeights {
    private let bytes: UnsafeMutableRawBufferPointer

    /// - Parameter capacity: bytes of the largest matrix.
    init(capacity: Int) {
        bytes = .allocate(byteCount: (capacity + 7) / 8 * 8, alignment: 64)
        var generator = RandomSource(seed: 1)
        for offset in stride(from: 0, to: bytes.count, by: 8) {
            // In bfloat16, and in the upper half of a float32: exponent 126, sign and mantissa at random.
            let bits = generator.next() & 0x807F_807F_807F_807F | 0x3F00_3F00_3F00_3F00
            bytes.storeBytes(of: bits, toByteOffset: offset, as: UInt64.self)
        }
    }

    deinit { bytes.deallocate() }

    func matrix(_ rows: Int, _ columns: Int, _ dtype: DType) -> TensorView {
        let count = rows * columns * dtype.byteCount
        return TensorView(
            name: "random weights", dtype: dtype, shape: [rows, columns],
            bytes: UnsafeRawBufferPointer(rebasing: bytes[..<count]), owner: self)
    }
}
