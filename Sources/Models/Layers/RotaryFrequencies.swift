package import Checkpoint
import Glibc

/// Inverse frequencies of the rotary embedding (Su et al. 2021, arXiv 2104.09864), one per pair of dimensions.
///
/// Models were trained with tables computed in float32, and an error in a frequency grows with the position; so each
/// step is rounded to float32 as there, in the same order.
package struct RotaryFrequencies: Equatable {
    package var frequencies: [Float]
    /// Multiplies cosine and sine.
    package var amplitude: Float = 1

    /// - Parameter dimensions: turned dimensions of a head; even.
    package init(_ rope: RopeParameters, dimensions: Int) {
        let wavelengths = (0..<dimensions / 2).map { pair in
            // The power itself is taken in Double, and is then the correctly rounded one.
            Float(pow(Double(Float(rope.theta)), Double(Float(2 * pair) / Float(dimensions))))
        }
        let plain = wavelengths.map { 1 / $0 }
        switch rope.scaling {
        case .none: frequencies = plain
        case .linear(let factor): frequencies = plain.map { $0 / Float(factor) }
        case .factors(let factors): frequencies = zip(plain, factors).map { $0 / Float($1) }
        case .longrope(let rope):
            frequencies = zip(wavelengths, rope.factors).map { 1 / (Float($1) * $0) }
            amplitude = Float(Self.amplitude(rope))
        case .llama3(let factor, let low, let high, let context):
            frequencies = plain.map {
                Self.llama3($0, factor: factor, lowFrequency: low, highFrequency: high, context: Double(context))
            }
        case .yarn(let yarn):
            let ramp = Self.ramp(yarn, theta: rope.theta, dimensions: dimensions)
            frequencies = wavelengths.indices.map { i in
                let interpolated = 1 / (Float(yarn.factor) * wavelengths[i])
                let extrapolated = 1 / wavelengths[i]
                let kept = 1 - ramp[i]
                return interpolated * (1 - kept) + extrapolated * kept
            }
            amplitude = Float(Self.amplitude(yarn))
        }
    }

    private static func llama3(
        _ frequency: Float, factor: Double, lowFrequency: Double, highFrequency: Double, context: Double
    ) -> Float {
        let wavelength = Float(2 * Double.pi) / frequency
        if wavelength > Float(context / lowFrequency) { return frequency / Float(factor) }
        if wavelength < Float(context / highFrequency) { return frequency }
        let smooth =
            (Float(context) / wavelength - Float(lowFrequency)) / Float(highFrequency - lowFrequency)
        return (1 - smooth) * frequency / Float(factor) + smooth * frequency
    }

    /// How much of the interpolated frequency each pair takes: 0 keeps the original.
    private static func ramp(_ yarn: RopeScaling.Yarn, theta: Double, dimensions: Int) -> [Float] {
        /// The (fractional) pair that makes `rotations` turns within the original context.
        func pair(_ rotations: Double) -> Double {
            Double(dimensions) * log(Double(yarn.originalContext) / (rotations * 2 * .pi)) / (2 * log(theta))
        }
        var low = pair(yarn.betaFast)
        var high = pair(yarn.betaSlow)
        if yarn.truncates { (low, high) = (low.rounded(.down), high.rounded(.up)) }
        low = max(low, 0)
        high = min(high, Double(dimensions - 1))
        if low == high { high += 0.001 }
        return (0..<dimensions / 2).map { min(max((Float($0) - Float(low)) / Float(high - low), 0), 1) }
    }

    private static func amplitude(_ rope: RopeScaling.LongRope) -> Double {
        if let given = rope.attentionFactor { return given }
        let factor = rope.factor ?? Double(rope.longestSequence) / Double(rope.originalContext)
        return factor <= 1 ? 1 : (1 + log(factor) / log(Double(rope.originalContext))).squareRoot()
    }

    private static func amplitude(_ yarn: RopeScaling.Yarn) -> Double {
        func scale(_ mscale: Double) -> Double { yarn.factor <= 1 ? 1 : 0.1 * mscale * log(yarn.factor) + 1 }
        if let given = yarn.attentionFactor { return given }
        if let mscale = yarn.mscale, let all = yarn.mscaleAllDimensions, mscale != 0, all != 0 {
            return scale(mscale) / scale(all)
        }
        return scale(1)
    }
}
