/// Numbers of 4 and 8 bits as quantized checkpoints store them, widened to float32, which holds all of them exactly.
///
/// Formats: OCP 8-bit Floating Point Specification 1.0 and OCP Microscaling Formats (MX) Specification 1.0.
package enum SmallFloats {
    /// 1 sign, 4 exponent (bias 7) and 3 mantissa bits; no infinity, NaN is 0x7F and 0xFF ("fn").
    package static func float(e4m3 bits: UInt8) -> Float {
        let exponent = Int(bits >> 3) & 15
        let mantissa = Float(bits & 7)
        if bits & 0x7F == 0x7F { return .nan }
        let magnitude =
            exponent == 0
            ? mantissa * 0x1p-9 : Float(sign: .plus, exponent: exponent - 7, significand: 1 + mantissa / 8)
        return bits & 0x80 == 0 ? magnitude : -magnitude
    }

    /// The nearest number of E4M3, ties to even; what is larger becomes the largest, 448.
    package static func e4m3(_ value: Float) -> UInt8 {
        let sign = UInt8(value.bitPattern >> 24) & 0x80
        if value.isNaN { return sign | 0x7F }
        let magnitude = min(value.magnitude, 448)
        // Below 2^-6 the spacing is 2^-9.
        if magnitude < 0x1p-6 { return sign | UInt8((magnitude * 0x1p9).rounded(.toNearestOrEven)) }
        let bits = magnitude.bitPattern
        return sign | UInt8((bits + 0x7FFFF + (bits >> 20 & 1)) >> 20 - 120 << 3)
    }

    /// The nearest number of E2M1, ties to even; what is larger becomes the largest, 6. Not for NaN.
    package static func e2m1(_ value: Float) -> UInt8 {
        let sign = UInt8(value.bitPattern >> 28) & 8
        let magnitude = value.magnitude
        // The middles between neighbours go to the even code.
        let code: UInt8 =
            magnitude <= 0.25
            ? 0
            : magnitude < 0.75
                ? 1
                : magnitude <= 1.25
                    ? 2
                    : magnitude < 1.75 ? 3 : magnitude <= 2.5 ? 4 : magnitude < 3.5 ? 5 : magnitude <= 5 ? 6 : 7
        return sign | code
    }

    /// 1 sign, 5 exponent and 2 mantissa bits: the upper half of a float16.
    package static func float(e5m2 bits: UInt8) -> Float {
        HalfFloats.float(float16: UInt16(bits) << 8)
    }

    /// A power of two, 2^(bits − 127); 255 is NaN.
    package static func float(e8m0 bits: UInt8) -> Float {
        bits == 255 ? .nan : Float(sign: .plus, exponent: Int(bits) - 127, significand: 1)
    }

    /// 1 sign, 2 exponent (bias 1) and 1 mantissa bit, in the lower half of a byte.
    package static let e2m1: [Float] = [0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6]

    /// Values of all 256 bytes of an 8-bit floating type; nil for other types.
    package static func table(_ type: DType) -> [Float]? {
        switch type {
        case .float8e4m3: (0...255).map { float(e4m3: UInt8($0)) }
        case .float8e5m2: (0...255).map { float(e5m2: UInt8($0)) }
        case .float8e8m0: (0...255).map { float(e8m0: UInt8($0)) }
        default: nil
        }
    }
}
