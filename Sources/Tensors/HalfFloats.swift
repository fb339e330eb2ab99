/// Conversions between float32 and the two 16-bit formats, by integer arithmetic: the same bits on every processor,
/// with or without hardware support. Rounding is to nearest, ties to even; NaN stays NaN (quiet) and what is too large
/// becomes infinity, as IEEE 754 says.
package enum HalfFloats {
    /// bfloat16 is the upper half of a float32.
    package static func float(bfloat16 bits: UInt16) -> Float {
        Float(bitPattern: UInt32(bits) << 16)
    }

    package static func bfloat16(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        if value.isNaN { return UInt16(truncatingIfNeeded: bits >> 16) | 0x40 }
        return UInt16(truncatingIfNeeded: (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16)
    }

    /// IEEE binary16: 1 sign, 5 exponent and 10 mantissa bits.
    package static func float(float16 bits: UInt16) -> Float {
        let sign = UInt32(bits & 0x8000) << 16
        let exponent = UInt32(bits >> 10) & 31
        let mantissa = UInt32(bits & 0x3FF)
        switch exponent {
        case 0:
            let magnitude = Float(mantissa) * 0x1p-24
            return sign == 0 ? magnitude : -magnitude
        case 31: return Float(bitPattern: sign | 0x7F80_0000 | mantissa << 13)
        default: return Float(bitPattern: sign | (exponent + 112) << 23 | mantissa << 13)
        }
    }

    package static func float16(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        let sign = UInt16(truncatingIfNeeded: bits >> 16) & 0x8000
        let magnitude = bits & 0x7FFF_FFFF
        if magnitude > 0x7F80_0000 { return sign | 0x7E00 | UInt16(truncatingIfNeeded: magnitude >> 13) & 0x3FF }
        // 65520 lies half-way between the largest finite number and 2^16, and rounds to even: infinity.
        if magnitude >= 0x477F_F000 { return sign | 0x7C00 }
        if magnitude < 0x3880_0000 {
            // Below 2^-14 the spacing is 2^-24, which is the spacing of float32 in [0.5, 1): adding 0.5 rounds for us.
            let shifted = Float(bitPattern: magnitude) + 0.5
            return sign | UInt16(truncatingIfNeeded: shifted.bitPattern - Float(0.5).bitPattern)
        }
        let rounded = magnitude + 0xFFF + ((magnitude >> 13) & 1)
        return sign | UInt16(truncatingIfNeeded: (rounded >> 13) - (112 << 10))
    }

    /// The nearest number that `type` can hold. `type` is a floating type.
    package static func rounded(_ value: Float, to type: DType) -> Float {
        switch type {
        case .bfloat16: float(bfloat16: bfloat16(value))
        case .float16: float(float16: float16(value))
        default: value
        }
    }
}
