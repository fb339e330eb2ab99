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
