import Tensors

/// Numbers of ggml's quantized blocks, bit for bit as the reference implementation (the `gguf` package) gives them. Blocks
/// of 32 numbers; `GGUFSuperblocks` has those of 256. Formats: `ggml-common.h` of ggml.
enum GGUFBlocks {
    /// Widens whole blocks: `blocks.count / type.blockBytes · type.blockSize` numbers.
    static func decode(
        _ type: GGUFTensorType, _ blocks: UnsafeRawBufferPointer, into values: UnsafeMutableBufferPointer<Float>
    ) {
        let count = blocks.count / type.blockBytes
        for index in 0..<count {
            let block = UnsafeRawBufferPointer(
                rebasing: blocks[index * type.blockBytes..<(index + 1) * type.blockBytes])
            let place = UnsafeMutableBufferPointer(
                rebasing: values[index * type.blockSize..<(index + 1) * type.blockSize])
            switch type {
            case .q4_0: q4(block, place, hasMinimum: false)
            case .q4_1: q4(block, place, hasMinimum: true)
            case .q5_0: q5(block, place, hasMinimum: false)
            case .q5_1: q5(block, place, hasMinimum: true)
            case .q8_0: q8(block, place)
            case .iq4_nl: iq4nl(block, place)
            case .mxfp4: mxfp4(block, place)
            case .q2_k: GGUFSuperblocks.q2(block, place)
            case .q3_k: GGUFSuperblocks.q3(block, place)
            case .q4_k: GGUFSuperblocks.q4(block, place)
            case .q5_k: GGUFSuperblocks.q5(block, place)
            case .q6_k: GGUFSuperblocks.q6(block, place)
            case .iq4_xs: GGUFSuperblocks.iq4xs(block, place)
            case .f32: place[0] = Float(bitPattern: block.word(0))
            case .f16: place[0] = block.half(0)
            case .bf16: place[0] = HalfFloats.float(bfloat16: UInt16(truncatingIfNeeded: block.short(0)))
            }
        }
    }

    /// Values of IQ4_NL's codes: finer around zero.
    static let nonlinear: [Float] = [
        -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
    ]

    private static func q4(
        _ block: UnsafeRawBufferPointer, _ values: UnsafeMutableBufferPointer<Float>, hasMinimum: Bool
    ) {
        let scale = block.half(0)
        let codes = hasMinimum ? 4 : 2
        let offset: Float = hasMinimum ? 0 : 8
        for i in 0..<16 {
            let byte = block[codes + i]
            values[i] = scale * (Float(byte & 15) - offset)
            values[i + 16] = scale * (Float(byte >> 4) - offset)
        }
        if hasMinimum { add(block.half(2), to: values) }
    }

    private static func q5(
        _ block: UnsafeRawBufferPointer, _ values: UnsafeMutableBufferPointer<Float>, hasMinimum: Bool
    ) {
        let scale = block.half(0)
        let start = hasMinimum ? 4 : 2
        let high = block.word(start)
        let offset: Float = hasMinimum ? 0 : 16
        for i in 0..<16 {
            let byte = UInt32(block[start + 4 + i])
            let low = byte & 15 | (high >> UInt32(i) & 1) << 4
            let upper = byte >> 4 | (high >> UInt32(i + 16) & 1) << 4
            values[i] = scale * (Float(low) - offset)
            values[i + 16] = scale * (Float(upper) - offset)
        }
        if hasMinimum { add(block.half(2), to: values) }
    }

    /// Only where there is one: adding zero would turn −0 to 0.
    private static func add(_ minimum: Float, to values: UnsafeMutableBufferPointer<Float>) {
        for i in values.indices { values[i] += minimum }
    }

    private static func q8(_ block: UnsafeRawBufferPointer, _ values: UnsafeMutableBufferPointer<Float>) {
        let scale = block.half(0)
        for i in 0..<32 { values[i] = scale * Float(Int8(bitPattern: block[2 + i])) }
    }

    private static func iq4nl(_ block: UnsafeRawBufferPointer, _ values: UnsafeMutableBufferPointer<Float>) {
        let scale = block.half(0)
        for i in 0..<16 {
            values[i] = scale * nonlinear[Int(block[2 + i] & 15)]
            values[i + 16] = scale * nonlinear[Int(block[2 + i] >> 4)]
        }
    }

    private static func mxfp4(_ block: UnsafeRawBufferPointer, _ values: UnsafeMutableBufferPointer<Float>) {
        let scale = SmallFloats.float(e8m0: block[0])
        // ggml's table has no −0.
        for i in 0..<16 {
            values[i] = scale * (SmallFloats.e2m1[Int(block[1 + i] & 15)] + 0)
            values[i + 16] = scale * (SmallFloats.e2m1[Int(block[1 + i] >> 4)] + 0)
        }
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
