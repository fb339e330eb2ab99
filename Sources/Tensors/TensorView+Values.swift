extension TensorView {
    /// All elements as float32, which holds the three floating types exactly; nil for other types.
    ///
    /// - Complexity: O(elements), one array.
    package func floats() -> [Float]? {
        guard dtype.isFloatingPoint else { return nil }
        return [Float](unsafeUninitializedCapacity: elementCount) { buffer, count in
            count = elementCount
            for index in 0..<count { buffer.initializeElement(at: index, to: float(at: index)) }
        }
    }

    /// Elements of a floating type, as float32.
    package func read(_ range: Range<Int>, into values: UnsafeMutableBufferPointer<Float>) {
        precondition(dtype.isFloatingPoint && range.upperBound <= elementCount && values.count >= range.count)
        for (place, index) in range.enumerated() { values[place] = float(at: index) }
    }

    /// One element of a floating type. Files do not promise alignment.
    private func float(at index: Int) -> Float {
        switch dtype {
        case .bfloat16:
            HalfFloats.float(
                bfloat16: UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)))
        case .float16:
            HalfFloats.float(
                float16: UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)))
        default:
            Float(
                bitPattern: UInt32(
                    littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)))
        }
    }
}
