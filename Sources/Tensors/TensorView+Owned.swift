extension TensorView {
    /// A tensor in memory of its own, of a floating type, filled piece by piece with float32 values that are rounded
    /// to nearest even.
    ///
    /// - Parameters:
    ///   - piece: elements that `fill` is asked for at once; a divisor of the element count, or more than it.
    ///   - fill: writes elements `range` to the buffer, which has just that many.
    /// - Returns: the view, and the first finite value that became infinite in `dtype`.
    package static func filled(
        name: String, dtype: DType, shape: [Int], piece: Int,
        _ fill: (_ range: Range<Int>, _ buffer: UnsafeMutableBufferPointer<Float>) -> Void
    ) -> (view: TensorView, overflow: Float?) {
        precondition(dtype.isFloatingPoint)
        let count = shape.contains(0) ? 0 : shape.reduce(1, *)
        let memory = OwnedBytes(count: count * dtype.byteCount)
        var overflow: Float?
        let scratch = UnsafeMutableBufferPointer<Float>.allocate(capacity: max(1, min(piece, count)))
        defer { scratch.deallocate() }
        var start = 0
        while start < count {
            let range = start..<min(start + scratch.count, count)
            let buffer = UnsafeMutableBufferPointer(rebasing: scratch[..<range.count])
            fill(range, buffer)
            if let lost = memory.store(buffer, at: start, as: dtype), overflow == nil { overflow = lost }
            start = range.upperBound
        }
        let view = TensorView(
            name: name, dtype: dtype, shape: shape, bytes: UnsafeRawBufferPointer(memory.bytes), owner: memory)
        return (view, overflow)
    }

    /// A tensor of any type in memory of its own, whose bytes `fill` writes, all of them.
    package static func filled(
        name: String, dtype: DType, shape: [Int], _ fill: (_ memory: UnsafeMutableRawBufferPointer) -> Void
    ) -> TensorView {
        let memory = OwnedBytes(count: shape.contains(0) ? 0 : shape.reduce(dtype.byteCount, *))
        fill(memory.bytes)
        return TensorView(
            name: name, dtype: dtype, shape: shape, bytes: UnsafeRawBufferPointer(memory.bytes), owner: memory)
    }
}

extension TensorView {
    /// A copy with its rows in another order.
    ///
    /// - Parameters:
    ///   - columns: elements of a row.
    ///   - place: the row that comes to a place.
    package func rearranged(columns: Int, _ place: (Int) -> Int) -> TensorView {
        let memory = OwnedBytes(count: bytes.count)
        let row = columns * dtype.byteCount
        for index in 0..<(row == 0 ? 0 : bytes.count / row) {
            let source = place(index) * row
            UnsafeMutableRawBufferPointer(rebasing: memory.bytes[index * row..<(index + 1) * row])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[source..<source + row]))
        }
        return TensorView(
            name: name, dtype: dtype, shape: shape, bytes: UnsafeRawBufferPointer(memory.bytes), owner: memory)
    }
}

/// Memory that a converted tensor lives in.
private final class OwnedBytes {
    let bytes: UnsafeMutableRawBufferPointer

    init(count: Int) { bytes = .allocate(byteCount: count, alignment: 64) }

    deinit { bytes.deallocate() }

    /// - Returns: the first finite value that became infinite.
    func store(_ values: UnsafeMutableBufferPointer<Float>, at start: Int, as dtype: DType) -> Float? {
        var overflow: Float?
        switch dtype {
        case .bfloat16:
            for (index, value) in values.enumerated() {
                let rounded = HalfFloats.bfloat16(value)
                if rounded & 0x7FFF == 0x7F80, value.isFinite, overflow == nil { overflow = value }
                bytes.storeBytes(of: rounded.littleEndian, toByteOffset: 2 * (start + index), as: UInt16.self)
            }
        case .float16:
            for (index, value) in values.enumerated() {
                let rounded = HalfFloats.float16(value)
                if rounded & 0x7FFF == 0x7C00, value.isFinite, overflow == nil { overflow = value }
                bytes.storeBytes(of: rounded.littleEndian, toByteOffset: 2 * (start + index), as: UInt16.self)
            }
        default:
            for (index, value) in values.enumerated() {
                bytes.storeBytes(
                    of: value.bitPattern.littleEndian, toByteOffset: 4 * (start + index), as: UInt32.self)
            }
        }
        return overflow
    }
}
