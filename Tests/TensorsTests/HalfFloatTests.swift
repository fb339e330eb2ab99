import Tensors
import Testing

/// Conversions are compared with the language's own types and with the definition of rounding, on all 16-bit patterns
/// and on float32 patterns that lie close to the borders between them.
@Suite struct HalfFloatTests {
    @Test func everyFloat16IsReadAsTheProcessorReadsIt() {
        for bits in UInt16.min...UInt16.max {
            let expected = Float(Float16(bitPattern: bits))
            let found = HalfFloats.float(float16: bits)
            #expect(expected.isNaN ? found.isNaN : found.bitPattern == expected.bitPattern, "\(bits)")
        }
    }

    @Test func everyHalfSurvivesTheWayThroughFloat32() {
        for bits in UInt16.min...UInt16.max {
            let f16 = HalfFloats.float(float16: bits)
            if !f16.isNaN {
                #expect(HalfFloats.float16(f16) == bits)
            } else {
                #expect(HalfFloats.float(float16: HalfFloats.float16(f16)).isNaN)
            }
            let bf16 = HalfFloats.float(bfloat16: bits)
            if !bf16.isNaN {
                #expect(HalfFloats.bfloat16(bf16) == bits)
            } else {
                #expect(HalfFloats.float(bfloat16: HalfFloats.bfloat16(bf16)).isNaN)
            }
        }
    }

    /// Half-way points and their neighbours on both sides, for every pair of adjacent float16 numbers.
    @Test func float16RoundsToNearestEven() {
        for bits in UInt16(0)..<0x7C00 {
            let low = HalfFloats.float(float16: bits)
            // 2^16 follows the largest finite number as far as rounding is concerned.
            let high = bits == 0x7BFF ? 65536 : HalfFloats.float(float16: bits + 1)
            let middle = (low + high) / 2
            let even = bits & 1 == 0 ? bits : bits + 1
            #expect(HalfFloats.float16(middle) == even)
            #expect(HalfFloats.float16(middle.nextDown) == bits)
            #expect(HalfFloats.float16(middle.nextUp) == bits + 1)
            #expect(HalfFloats.float16(-middle.nextUp) == (bits + 1) | 0x8000)
        }
    }

    @Test func bfloat16RoundsToNearestEven() {
        for bits in stride(from: UInt16(0), to: 0x7F80, by: 1) {
            let low = UInt32(bits) << 16
            #expect(HalfFloats.bfloat16(Float(bitPattern: low | 0x7FFF)) == bits)
            #expect(HalfFloats.bfloat16(Float(bitPattern: low | 0x8000)) == bits + (bits & 1))
            #expect(HalfFloats.bfloat16(Float(bitPattern: low | 0x8001)) == bits + 1)
        }
        #expect(HalfFloats.float(bfloat16: HalfFloats.bfloat16(.greatestFiniteMagnitude)) == .infinity)
    }

    @Test func nanStaysNaNEvenWhenItsPayloadIsInTheLostBits() {
        let hidden = Float(bitPattern: 0x7F80_0001)
        #expect(HalfFloats.float(bfloat16: HalfFloats.bfloat16(hidden)).isNaN)
        #expect(HalfFloats.float(float16: HalfFloats.float16(hidden)).isNaN)
    }

    /// Signs and payloads: what a NaN says is kept as far as it fits, and it becomes quiet.
    @Test func nanKeepsSignAndPayload() {
        for sign: UInt32 in [0, 0x8000_0000] {
            let high = UInt16(sign >> 16)
            #expect(HalfFloats.bfloat16(Float(bitPattern: sign | 0x7FC0_0000)) == high | 0x7FC0)
            #expect(HalfFloats.bfloat16(Float(bitPattern: sign | 0x7FFF_FFFF)) == high | 0x7FFF)
            #expect(HalfFloats.bfloat16(Float(bitPattern: sign | 0x7F80_0001)) == high | 0x7FC0)
            #expect(HalfFloats.float16(Float(bitPattern: sign | 0x7FC0_0000)) == high | 0x7E00)
            #expect(HalfFloats.float16(Float(bitPattern: sign | 0x7FFF_FFFF)) == high | 0x7FFF)
            #expect(HalfFloats.float16(Float(bitPattern: sign | 0x7F80_0001)) == high | 0x7E00)
        }
    }

    @Test func infinitiesZerosAndOverflow() {
        #expect(HalfFloats.bfloat16(.infinity) == 0x7F80 && HalfFloats.bfloat16(-.infinity) == 0xFF80)
        #expect(HalfFloats.float16(.infinity) == 0x7C00 && HalfFloats.float16(-.infinity) == 0xFC00)
        #expect(HalfFloats.bfloat16(0) == 0 && HalfFloats.bfloat16(-0.0) == 0x8000)
        #expect(HalfFloats.float16(0) == 0 && HalfFloats.float16(-0.0) == 0x8000)
        // The last numbers that stay finite, and the first that do not.
        #expect(HalfFloats.float16(65_504) == 0x7BFF && HalfFloats.float16(Float(65_520).nextDown) == 0x7BFF)
        #expect(HalfFloats.float16(65_520) == 0x7C00 && HalfFloats.float16(-65_520) == 0xFC00)
        #expect(HalfFloats.float16(.greatestFiniteMagnitude) == 0x7C00)
        #expect(HalfFloats.bfloat16(Float(bitPattern: 0x7F7F_7FFF)) == 0x7F7F)
        #expect(HalfFloats.bfloat16(Float(bitPattern: 0x7F7F_8000)) == 0x7F80)
        #expect(HalfFloats.bfloat16(-.greatestFiniteMagnitude) == 0xFF80)
    }

    /// float16 has subnormals down to 2^-24; half of that is a tie, and goes to even: zero.
    @Test func subnormalsOfFloat16() {
        #expect(HalfFloats.float16(0x1p-24) == 1 && HalfFloats.float(float16: 1) == 0x1p-24)
        #expect(HalfFloats.float16(0x1p-25) == 0 && HalfFloats.float16(Float(0x1p-25).nextUp) == 1)
        #expect(HalfFloats.float16(-0x1p-25) == 0x8000)
        #expect(HalfFloats.float16(0x1.8p-24) == 2 && HalfFloats.float16(0x1.4p-23) == 2)
        #expect(HalfFloats.float(float16: 0x3FF) == 0x1.FF8p-15 && HalfFloats.float16(0x1.FF8p-15) == 0x3FF)
        #expect(HalfFloats.float16(Float(0x1p-14).nextDown) == 0x400)
        // Subnormals of float32 are far below; those of bfloat16 are among them.
        #expect(HalfFloats.float16(.leastNonzeroMagnitude) == 0)
        #expect(HalfFloats.bfloat16(Float(bitPattern: 0x0001_8000)) == 2)
        #expect(HalfFloats.bfloat16(.leastNonzeroMagnitude) == 0)
    }

    /// Any float32 at all: as the language's own conversion does it, and for bfloat16 by the definition of rounding in
    /// twice the precision.
    @Test func anyFloat32IsRoundedToTheNearest() {
        let seed: UInt64 = 0xF16
        var state = seed
        for _ in 0..<300_000 {
            // A linear congruential generator (Knuth's MMIX) is random enough for patterns of bits.
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let value = Float(bitPattern: UInt32(state >> 32))
            if value.isNaN { continue }
            #expect(HalfFloats.float16(value) == Float16(value).bitPattern, "seed \(seed), \(value)")
            let bits = HalfFloats.bfloat16(value)
            let found = Double(HalfFloats.float(bfloat16: bits))
            if found.isFinite, value.isFinite {
                let error = abs(found - Double(value))
                for neighbour in [bits &- 1, bits &+ 1] {
                    let other = Double(HalfFloats.float(bfloat16: neighbour))
                    let otherError = abs(other - Double(value))
                    #expect(
                        !(otherError < error) && (otherError != error || bits & 1 == 0),
                        "seed \(seed), \(value)")
                }
            }
        }
    }

    @Test func roundingToATypeIsThereAndBack() {
        #expect(HalfFloats.rounded(1.00390625, to: .bfloat16) == 1)
        #expect(HalfFloats.rounded(1.01171875, to: .bfloat16) == 1.015625)
        #expect(HalfFloats.rounded(0.1, to: .float16) == 0.099975586)
        #expect(HalfFloats.rounded(0.1, to: .float32) == 0.1)
        #expect(HalfFloats.rounded(70_000, to: .float16) == .infinity)
    }

    @Test func typesHaveTheSizesOfTheirNames() {
        let sizes: [DType: Int] = [
            .float32: 4, .float16: 2, .bfloat16: 2, .int64: 8, .int32: 4, .int16: 2, .int8: 1, .uint8: 1, .bool: 1,
            .float8e4m3: 1, .float8e5m2: 1, .float8e8m0: 1,
        ]
        for dtype in DType.allCases { #expect(dtype.byteCount == sizes[dtype], "\(dtype)") }
        #expect(DType.allCases.filter(\.isFloatingPoint) == [.float32, .float16, .bfloat16])
    }

    @Test func viewsWidenAllFloatingTypesAtAnyAlignment() throws {
        let block = Block(bytes: [0xFF, 0x80, 0x3F, 0x00, 0xC0])
        func view(_ dtype: DType, _ range: Range<Int>, _ shape: [Int]) -> TensorView {
            TensorView(
                name: "t", dtype: dtype, shape: shape,
                bytes: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(block.memory)[range]), owner: block)
        }
        #expect(view(.bfloat16, 1..<5, [2]).floats() == [1, -2])
        #expect(view(.float16, 3..<5, [1, 1]).floats() == [-2])
        #expect(view(.float32, 1..<5, []).floats() == [Float(bitPattern: 0xC000_3F80)])
        #expect(view(.int16, 1..<5, [2]).floats() == nil)
        #expect(view(.float32, 0..<0, [0, 3]).floats() == [])
    }

    private final class Block {
        let memory: UnsafeMutableRawBufferPointer

        init(bytes: [UInt8]) {
            memory = .allocate(byteCount: bytes.count, alignment: 16)
            memory.copyBytes(from: bytes)
        }

        deinit { memory.deallocate() }
    }
}
