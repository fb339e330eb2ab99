import Tensors

/// ggml's blocks of 256 numbers: groups of 16 or 32 with small integer scales (and minima), which one or two half floats
/// scale.
enum GGUFSuperblocks {
    /// - Parameters:
    ///   - scales: of each group, integers.
    ///   - offsets: as `scales`; nil where the type has none.
    /// - Returns: what scales the scales and the offsets.
    static func read(
        _ type: GGUFTensorType, _ block: UnsafeRawBufferPointer, _ codes: UnsafeMutableBufferPointer<UInt8>,
        _ scales: UnsafeMutableBufferPointer<Float>, _ offsets: UnsafeMutableBufferPointer<Float>?
    ) -> (scale: Float, offset: Float) {
        switch type {
        case .q2_k: q2(block, codes, scales, offsets)
        case .q3_k: q3(block, codes, scales)
        case .q4_k: q4(block, codes, scales, offsets)
        case .q5_k: q5(block, codes, scales, offsets)
        case .q6_k: q6(block, codes, scales)
        default: iq4xs(block, codes, scales)
        }
    }

    private typealias Outer = (scale: Float, offset: Float)
    private typealias Codes = UnsafeMutableBufferPointer<UInt8>
    private typealias Factors = UnsafeMutableBufferPointer<Float>

    /// scales and minima [16], codes [64], scale, scale of the minima
    private static func q2(
        _ block: UnsafeRawBufferPointer, _ codes: Codes, _ scales: Factors, _ offsets: Factors?
    ) -> Outer {
        for group in 0..<16 {
            scales[group] = Float(block[group] & 15)
            offsets?[group] = Float(block[group] >> 4)
            // Groups go in pairs through four bit positions of 32 bytes, twice.
            let bytes = 16 + group / 8 * 32 + group % 2 * 16
            let shift = UInt8(group % 8 / 2 * 2)
            for i in 0..<16 { codes[group * 16 + i] = block[bytes + i] >> shift & 3 }
        }
        return (block.half(80), block.half(82))
    }

    /// high bits [32], low bits [64], scales of 6 bits [12], scale
    private static func q3(_ block: UnsafeRawBufferPointer, _ codes: Codes, _ scales: Factors) -> Outer {
        for group in 0..<16 {
            let low = group < 8 ? block[96 + group] & 15 : block[96 + group - 8] >> 4
            let high = block[104 + group % 4] >> UInt8(group / 4 * 2) & 3
            scales[group] = Float(Int(low | high << 4) - 32)
            let bytes = 32 + group / 8 * 32 + group % 2 * 16
            let shift = UInt8(group % 8 / 2 * 2)
            for i in 0..<16 {
                let third = block[group % 2 * 16 + i] >> UInt8(group / 2) & 1
                codes[group * 16 + i] = block[bytes + i] >> shift & 3 | third << 2
            }
        }
        return (block.half(108), 0)
    }

    /// scale, scale of the minima, scales and minima of 6 bits [12], codes [128]
    private static func q4(
        _ block: UnsafeRawBufferPointer, _ codes: Codes, _ scales: Factors, _ offsets: Factors?
    ) -> Outer {
        for group in 0..<8 {
            let (scale, minimum) = scaleAndMinimum(block, group)
            scales[group] = scale
            offsets?[group] = minimum
            let bytes = 16 + group / 2 * 32
            let shift = UInt8(group % 2 * 4)
            for i in 0..<32 { codes[group * 32 + i] = block[bytes + i] >> shift & 15 }
        }
        return (block.half(0), block.half(2))
    }

    /// as Q4_K, with a fifth bit of each code in [32] before the others
    private static func q5(
        _ block: UnsafeRawBufferPointer, _ codes: Codes, _ scales: Factors, _ offsets: Factors?
    ) -> Outer {
        for group in 0..<8 {
            let (scale, minimum) = scaleAndMinimum(block, group)
            scales[group] = scale
            offsets?[group] = minimum
            let bytes = 48 + group / 2 * 32
            let shift = UInt8(group % 2 * 4)
            for i in 0..<32 {
                let high = block[16 + i] >> UInt8(group) & 1
                codes[group * 32 + i] = block[bytes + i] >> shift & 15 | high << 4
            }
        }
        return (block.half(0), block.half(2))
    }

    /// Q4_K and Q5_K pack eight scales and eight minima of 6 bits in 12 bytes: the last four of each have their upper
    /// two bits above the first four.
    private static func scaleAndMinimum(_ block: UnsafeRawBufferPointer, _ group: Int) -> (Float, Float) {
        let scale: UInt8
        let minimum: UInt8
        if group < 4 {
            scale = block[4 + group] & 63
            minimum = block[8 + group] & 63
        } else {
            scale = block[8 + group] & 15 | (block[group] >> 6) << 4
            minimum = block[8 + group] >> 4 | (block[4 + group] >> 6) << 4
        }
        return (Float(scale), Float(minimum))
    }

    /// low bits [128], high bits [64], scales int8 [16], scale
    private static func q6(_ block: UnsafeRawBufferPointer, _ codes: Codes, _ scales: Factors) -> Outer {
        for group in 0..<16 { scales[group] = Float(Int8(bitPattern: block[192 + group])) }
        for half in 0..<2 {
            for quarter in 0..<4 {
                for i in 0..<32 {
                    let low = block[half * 64 + quarter % 2 * 32 + i] >> UInt8(quarter / 2 * 4) & 15
                    let high = block[128 + half * 32 + i] >> UInt8(quarter * 2) & 3
                    codes[half * 128 + quarter * 32 + i] = (low | high << 4) &- 32
                }
            }
        }
        return (block.half(208), 0)
    }

    /// scale, upper bits of the scales (16 bit), lower bits of the scales [4], codes [128]
    private static func iq4xs(_ block: UnsafeRawBufferPointer, _ codes: Codes, _ scales: Factors) -> Outer {
        let high = block.short(2)
        for group in 0..<8 {
            let low = UInt32(block[4 + group / 2]) >> UInt32(group % 2 * 4) & 15
            scales[group] = Float(Int(low | (high >> UInt32(2 * group) & 3) << 4) - 32)
            GGUFBlocks.halves(block, from: 8 + group * 16, codes, at: group * 32)
        }
        return (block.half(0), 0)
    }
}
