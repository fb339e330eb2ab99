import Tensors

/// Codes and scales of ggml's quantized blocks of 32 numbers, which give the numbers of the reference implementation (the
/// `gguf` package) bit for bit; `GGUFSuperblocks` has those of 256. Formats: `ggml-common.h` of ggml.
enum GGUFBlocks {
    /// - Returns: what is subtracted from all numbers, where the type has that.
    static func read(
        _ type: GGUFTensorType, _ block: UnsafeRawBufferPointer, _ codes: UnsafeMutableBufferPointer<UInt8>,
        _ scale: inout Float
    ) -> Float {
        scale = type == .mxfp4 ? SmallFloats.float(e8m0: block[0]) : block.half(0)
        switch type {
        case .q4_0, .iq4_nl: halves(block, from: 2, codes)
        case .mxfp4: halves(block, from: 1, codes)
        case .q4_1:
            halves(block, from: 4, codes)
            return -block.half(2)
        case .q5_0:
            fives(block, from: 2, codes)
            for i in 0..<32 { codes[i] &-= 16 }
        case .q5_1:
            fives(block, from: 4, codes)
            return -block.half(2)
        default: for i in 0..<32 { codes[i] = block[2 + i] }
        }
        return 0
    }

    /// Values of IQ4_NL's codes: finer around zero.
    static let nonlinear: [Float] = [
        -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
    ]

    /// Lower halves of 16 bytes first.
    static func halves(
        _ block: UnsafeRawBufferPointer, from start: Int, _ codes: UnsafeMutableBufferPointer<UInt8>, at place: Int = 0
    ) {
        for i in 0..<16 {
            codes[place + i] = block[start + i] & 15
            codes[place + i + 16] = block[start + i] >> 4
        }
    }

    /// A word with the fifth bits, then the halves.
    private static func fives(
        _ block: UnsafeRawBufferPointer, from start: Int, _ codes: UnsafeMutableBufferPointer<UInt8>
    ) {
        halves(block, from: start + 4, codes)
        let high = block.word(start)
        for i in 0..<32 { codes[i] |= UInt8(truncatingIfNeeded: high >> UInt32(i) & 1) << 4 }
    }
}

extension UnsafeRawBufferPointer {
    func short(_ offset: Int) -> UInt32 {
        UInt32(UInt16(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
    }

    func word(_ offset: Int) -> UInt32 {
        UInt32(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    func half(_ offset: Int) -> Float { HalfFloats.float(float16: UInt16(truncatingIfNeeded: short(offset))) }
}
