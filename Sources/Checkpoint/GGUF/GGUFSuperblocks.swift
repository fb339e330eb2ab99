import Tensors

/// ggml's blocks of 256 numbers: groups of 16 or 32 with small scales (and minima), which one or two half floats scale.
enum GGUFSuperblocks {
    /// scales and minima [16], codes [64], scale, scale of the minima
    static func q2(_ block: UnsafeRawBufferPointer, _ values: UnsafeMutableBufferPointer<Float>) {
        let scale = block.half(80)
        let minimum = block.half(82)
        for group in 0..<16 {
            let both = block[group]
            let factor = scale * Float(both & 15)
            let offset = minimum * Float(both >> 4)
            // Groups go in pairs through four bit positions of 32 bytes, twice.
            let bytes = 16 + group / 8 * 32 + group % 2 * 16
            let shift = UInt8(group % 8 / 2 * 2)
            for i in 0..<16 {
                values[group * 16 + i] = factor * Float(block[bytes + i] >> shift & 3) - offset
            }
        }
    }

    /// high bits [32], low bits [64], scales of 6 bits [12], scale
    static func q3(_ block: UnsafeRawBufferPointer, _ values: UnsafeMutableBufferPointer<Float>) {
        let scale = block.half(108)
        for group in 0..<16 {
            let low = group < 8 ? block[96 + group] & 15 : block[96 + group - 8] >> 4
            let high = block[104 + group % 4] >> UInt8(group / 4 * 2) & 3
            let factor = scale * Float(Int(low | high << 4) - 32)
            let bytes = 32 + group / 8 * 32 + group % 2 * 16
            let shift = UInt8(group % 8 / 2 * 2)
            let mask = UInt8(1) << UInt8(group / 2)
            for i in 0..<16 {
                let code = Int(block[bytes + i] >> shift & 3)
                let isHigh = block[group % 2 * 16 + i] & mask != 0
                values[group * 16 + i] = factor * Float(isHigh ? code : code - 4)
            }
        }
    }

    /// scale, scale of the minima, scales and minima of 6 bits [12], codes [128]
    static func q4(_ block: UnsafeRawBufferPointer, _ values: UnsafeMutableBufferPointer<Float>) {
        for group in 0..<8 {
            let (factor, offset) = scaleAndMinimum(block, group)
            let bytes = 16 + group / 2 * 32
            let shift = UInt8(group % 2 * 4)
            for i in 0..<32 {
                values[group * 32 + i] = factor * Float(block[bytes + i] >> shift & 15) - offset
            }
        }
    }

    /// as Q4_K, with a fifth bit of each code in [32] before the others
    static func q5(_ block: UnsafeRawBufferPointer, _ values: UnsafeMutableBufferPointer<Float>) {
        for group in 0..<8 {
            let (factor, offset) = scaleAndMinimum(block, group)
            let bytes = 48 + group / 2 * 32
            let shift = UInt8(group % 2 * 4)
            for i in 0..<32 {
                let high = block[16 + i] >> UInt8(group) & 1
                values[group * 32 + i] = factor * Float(block[bytes + i] >> shift & 15 | high << 4) - offset
            }
        }
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
        return (block.half(0) * Float(scale), block.half(2) * Float(minimum))
    }

    /// low bits [128], high bits [64], scales int8 [16], scale
    static func q6(_ block: UnsafeRawBufferPointer, _ values: UnsafeMutableBufferPointer<Float>) {
        let scale = block.half(208)
        for half in 0..<2 {
            for quarter in 0..<4 {
                for i in 0..<32 {
                    let low = block[half * 64 + quarter % 2 * 32 + i] >> UInt8(quarter / 2 * 4) & 15
                    let high = block[128 + half * 32 + i] >> UInt8(quarter * 2) & 3
                    let factor = scale * Float(Int8(bitPattern: block[192 + half * 8 + quarter * 2 + i / 16]))
                    values[half * 128 + quarter * 32 + i] = factor * Float(Int(low | high << 4) - 32)
                }
            }
        }
    }

    /// scale, upper bits of the scales (16 bit), lower bits of the scales [4], codes [128]
    static func iq4xs(_ block: UnsafeRawBufferPointer, _ values: UnsafeMutableBufferPointer<Float>) {
        let scale = block.half(0)
        let high = block.short(2)
        for group in 0..<8 {
            let low = UInt32(block[4 + group / 2]) >> UInt32(group % 2 * 4) & 15
            let factor = scale * Float(Int(low | (high >> UInt32(2 * group) & 3) << 4) - 32)
            for i in 0..<16 {
                let byte = block[8 + group * 16 + i]
                values[group * 32 + i] = factor * GGUFBlocks.nonlinear[Int(byte & 15)]
                values[group * 32 + 16 + i] = factor * GGUFBlocks.nonlinear[Int(byte >> 4)]
            }
        }
    }
}
