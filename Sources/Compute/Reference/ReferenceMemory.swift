import Glibc
import Tensors

/// Activations as an array.
final class ReferenceTensor: Tensor {
    private var values: [Float]

    override init(rows: Int, columns: Int) {
        values = [Float](repeating: 0, count: rows * columns)
        super.init(rows: rows, columns: columns)
    }

    subscript(row: Int) -> ArraySlice<Float> {
        get {
            precondition(row >= 0 && row < rows)
            return values[row * columns..<(row + 1) * columns]
        }
        set {
            precondition(row >= 0 && row < rows && newValue.count == columns)
            values.replaceSubrange(row * columns..<(row + 1) * columns, with: newValue)
        }
    }
}

// Subclasses override the designated initializer of their base: Swift 6.3 warns of recursion in the stub that it makes
// for one that is not.

final class ReferenceVector: Vector {
    private(set) var values: [Float]

    override init(count: Int) {
        values = [Float](repeating: 0, count: count)
        super.init(count: count)
    }

    convenience init(_ values: [Float]) {
        self.init(count: values.count)
        self.values = values
    }
}

/// Weight rows widened to float32, in the order of the checkpoint.
final class ReferenceWeight: PackedWeight {
    private(set) var values: [Float]
    /// Type in the checkpoint, which decides how inputs are rounded.
    private(set) var dtype: DType = .float32

    override init(outputs: Int, inputs: Int, byteCount: Int, format: WeightFormat) {
        values = [Float](repeating: 0, count: outputs * inputs)
        super.init(outputs: outputs, inputs: inputs, byteCount: byteCount, format: format)
    }

    convenience init(_ values: [Float], inputs: Int, dtype: DType, format: WeightFormat) {
        self.init(
            outputs: inputs == 0 ? 0 : values.count / inputs, inputs: inputs,
            byteCount: values.count * dtype.byteCount, format: format)
        self.values = values
        self.dtype = dtype
    }
}

/// Keys and values, `[page][layer][token][kv head][dimension]` each, already rounded to the cache's type.
final class ReferenceKVCache: KVCache {
    var keys: [Float]
    var values: [Float]
    /// Numbers per token, layer and side.
    let tokenWidth: Int

    override init(layout: KVLayout, pageCount: Int) {
        tokenWidth = layout.keyValueHeads * layout.headDimension
        keys = [Float](repeating: 0, count: pageCount * layout.pageSize * layout.layers * tokenWidth)
        values = keys
        super.init(layout: layout, pageCount: pageCount)
    }

    func slot(page: Int, offset: Int, layer: Int) -> Int {
        precondition(page >= 0 && page < pageCount && offset < layout.pageSize && layer < layout.layers)
        return ((page * layout.layers + layer) * layout.pageSize + offset) * tokenWidth
    }

    func slot(of position: Int, _ span: SequenceSpan, _ pageTable: [Int32], layer: Int) -> Int {
        let page = position / layout.pageSize
        precondition(page < span.pageCount)
        return slot(page: Int(pageTable[span.firstPage + page]), offset: position % layout.pageSize, layer: layer)
    }

    /// What a page keeps of the key or the value of a head: rounded, and always finite (a masked token still enters a sum
    /// with weight 0).
    func stored(head: ArraySlice<Float>) -> [Float] {
        let largest: Float =
            switch layout.dtype {
            case .float16: 65504
            case .bfloat16: 0x1.fep127
            case .float8e4m3: 448
            case .int8: 0x1p120
            default: .greatestFiniteMagnitude
            }
        let finite = head.map { $0.isNaN ? 0 : min(max($0, -largest), largest) }
        return switch layout.dtype {
        case .int8: Quantization.bytes(finite[...])
        case .float8e4m3: finite.map { SmallFloats.float(e4m3: SmallFloats.e4m3($0)) }
        default: finite.map { HalfFloats.rounded($0, to: layout.dtype) }
        }
    }
}

final class ReferenceRotary: Rotary {
    private(set) var inverseFrequencies: [Float]
    private(set) var amplitude: Float = 1
    private(set) var pairing = RotaryPairing.halves
    /// `[row][pair]` of the current step.
    var cosines: [[Float]] = []
    var sines: [[Float]] = []

    override init(dimensions: Int) {
        inverseFrequencies = [Float](repeating: 0, count: dimensions / 2)
        super.init(dimensions: dimensions)
    }

    convenience init(inverseFrequencies: [Float], amplitude: Float, pairing: RotaryPairing) {
        self.init(dimensions: 2 * inverseFrequencies.count)
        self.inverseFrequencies = inverseFrequencies
        self.amplitude = amplitude
        self.pairing = pairing
    }

    /// Turns each pair of a head by its angle; dimensions beyond the rotated ones pass through.
    func rotate(_ head: [Float], row: Int) -> [Float] {
        var result = head
        for i in inverseFrequencies.indices {
            let (a, b) =
                switch pairing {
                case .halves: (i, i + inverseFrequencies.count)
                case .interleaved: (2 * i, 2 * i + 1)
                }
            let (x, y) = (head[a], head[b])
            result[a] = x * cosines[row][i] - y * sines[row][i]
            result[b] = y * cosines[row][i] + x * sines[row][i]
        }
        return result
    }
}

// A backend gets only what it made itself: anything else is a mistake in this package.
extension Tensor {
    var reference: ReferenceTensor {
        precondition(type(of: self) == ReferenceTensor.self)
        return unsafeDowncast(self, to: ReferenceTensor.self)
    }
}

extension Vector {
    var reference: ReferenceVector {
        precondition(type(of: self) == ReferenceVector.self)
        return unsafeDowncast(self, to: ReferenceVector.self)
    }
}

extension PackedWeight {
    var reference: ReferenceWeight {
        precondition(type(of: self) == ReferenceWeight.self)
        return unsafeDowncast(self, to: ReferenceWeight.self)
    }
}

extension Rotary {
    var reference: ReferenceRotary {
        precondition(type(of: self) == ReferenceRotary.self)
        return unsafeDowncast(self, to: ReferenceRotary.self)
    }
}

extension KVCache {
    var reference: ReferenceKVCache {
        precondition(type(of: self) == ReferenceKVCache.self)
        return unsafeDowncast(self, to: ReferenceKVCache.self)
    }
}

// Under names of their own, because Glibc's `exp`, `sin` and `cos` also name overloads of other types.
func exponential(_ x: Double) -> Double { exp(x) }
func sine(_ x: Double) -> Double { sin(x) }
func tangent(_ x: Double) -> Double { tanh(x) }
func cosine(_ x: Double) -> Double { cos(x) }
