extension TensorView {
    /// Some of the outermost dimension, without a copy.
    package func rows(_ range: Range<Int>) -> TensorView {
        let row = bytes.count / max(1, shape[0])
        return TensorView(
            name: name, dtype: dtype, shape: [range.count] + shape.dropFirst(),
            bytes: UnsafeRawBufferPointer(rebasing: bytes[range.lowerBound * row..<range.upperBound * row]),
            owner: owner)
    }

    /// Every so manieth of the outermost dimension, in memory of their own.
    package func rows(from first: Int, every step: Int, count: Int) -> TensorView {
        let row = bytes.count / max(1, shape[0])
        return .filled(name: name, dtype: dtype, shape: [count] + shape.dropFirst()) { memory in
            for index in 0..<count {
                let from = (first + index * step) * row
                UnsafeMutableRawBufferPointer(rebasing: memory[index * row..<(index + 1) * row])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[from..<from + row]))
            }
        }
    }

    /// The same elements under another name and shape.
    package func shaped(name: String, _ shape: [Int]) -> TensorView {
        TensorView(name: name, dtype: dtype, shape: shape, bytes: bytes, owner: owner)
    }

    /// A matrix `[rows, columns]` as `[columns, rows]`, in memory of its own.
    package func turnedOver() -> TensorView {
        precondition(shape.count == 2)
        return .filled(name: name, dtype: dtype, shape: [shape[1], shape[0]]) { memory in
            switch dtype.byteCount {
            case 1: turn(UInt8.self, into: memory)
            case 2: turn(UInt16.self, into: memory)
            case 4: turn(UInt32.self, into: memory)
            default: turn(UInt64.self, into: memory)
            }
        }
    }

    private func turn<Element: FixedWidthInteger>(_: Element.Type, into memory: UnsafeMutableRawBufferPointer) {
        let (rows, columns, width) = (shape[0], shape[1], MemoryLayout<Element>.size)
        for column in 0..<columns {
            for row in 0..<rows {
                let element = bytes.loadUnaligned(fromByteOffset: (row * columns + column) * width, as: Element.self)
                memory.storeBytes(of: element, toByteOffset: (column * rows + row) * width, as: Element.self)
            }
        }
    }
}
