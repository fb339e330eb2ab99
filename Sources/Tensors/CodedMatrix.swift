/// How the elements of a quantized matrix are written down: a code of a few bits each, and for each group of inputs of
/// an output a scale and, where the scheme has them, a zero point and an offset.
///
/// An element is `(number(code) - zero) * scale - offset`, every step rounded to float32.
package struct CodeForm: Sendable, Hashable {
    package enum Codes: Sendable, Hashable {
        /// The numbers of the 16 codes of four bits.
        case fourBits([Float])
        /// Codes are int8 numbers.
        case int8
        /// Codes are float8 numbers.
        case float8e4m3
        /// The numbers of all 256 codes; nothing multiplies with these.
        case table([Float])
    }

    package var codes: Codes
    /// A type that holds scales and offsets exactly: float32, float16 or bfloat16. Two levels: int8, times a float16 for
    /// each run of `CodedRows.blockSize` inputs.
    package var factors: DType
    package var hasZeros: Bool
    package var hasOffsets: Bool

    package init(_ codes: Codes, factors: DType, hasZeros: Bool = false, hasOffsets: Bool = false) {
        self.codes = codes
        self.factors = factors
        self.hasZeros = hasZeros
        self.hasOffsets = hasOffsets
    }

    package var hasTwoLevels: Bool { factors == .int8 }

    /// The numbers -8 ... 7, and 0 ... 15.
    package static let signedFourBits = Codes.fourBits((0..<16).map { Float($0 - 8) })
    package static let unsignedFourBits = Codes.fourBits((0..<16).map { Float($0) })

    /// Of each byte that a code may be.
    package var numbers: [Float] {
        switch codes {
        case .fourBits(let numbers), .table(let numbers): numbers
        case .int8: (0...255).map { Float(Int8(truncatingIfNeeded: $0)) }
        case .float8e4m3: (0...255).map { SmallFloats.float(e4m3: UInt8($0)) }
        }
    }
}

/// A matrix `[outputs, inputs]` of codes, checked when it was made and read a few rows at a time.
package protocol CodedMatrix {
    var outputs: Int { get }
    var inputs: Int { get }
    var form: CodeForm { get }
    var groups: Int { get }
    /// The group of each input.
    var groupOfInput: [Int32] { get }
    /// The scheme also quantizes inputs, row by row while the model runs: int8, scale = largest magnitude / 127 (W8A8).
    /// Only for codes that are int8 with one group, without zeros and offsets.
    var quantizesInputs: Bool { get }

    /// Fills in as many rows as `into` has, from `first` on.
    func read(from first: Int, into rows: CodedRows)

    /// Says that these rows are not needed soon; see `TensorView.release`.
    func release(_ rows: Range<Int>)
}

extension CodedMatrix {
    package var quantizesInputs: Bool { false }
    package func release(_ rows: Range<Int>) {}
}

/// Room for some rows of a `CodedMatrix`.
package final class CodedRows {
    /// Inputs that share the outer factors of two levels.
    package static let blockSize = 256

    package let count: Int
    /// `[count, inputs]`
    package let codes: UnsafeMutableBufferPointer<UInt8>
    /// `[count, groups]`
    package let scales: UnsafeMutableBufferPointer<Float>
    /// `[count, groups]`; empty where the form has none. Integers from -128 to 127.
    package let zeros: UnsafeMutableBufferPointer<Float>
    /// `[count, groups]`; empty where the form has none.
    package let offsets: UnsafeMutableBufferPointer<Float>
    /// `[count, blocks]`; empty but for two levels.
    package let blockScales: UnsafeMutableBufferPointer<Float>
    package let blockOffsets: UnsafeMutableBufferPointer<Float>

    package init(_ matrix: some CodedMatrix, count: Int) {
        let form = matrix.form
        let groups = count * matrix.groups
        let blocks = form.hasTwoLevels ? count * ((matrix.inputs + Self.blockSize - 1) / Self.blockSize) : 0
        self.count = count
        codes = .allocate(capacity: count * matrix.inputs)
        scales = .allocate(capacity: groups)
        zeros = .allocate(capacity: form.hasZeros ? groups : 0)
        offsets = .allocate(capacity: form.hasOffsets ? groups : 0)
        blockScales = .allocate(capacity: blocks)
        blockOffsets = .allocate(capacity: form.hasOffsets ? blocks : 0)
    }

    deinit {
        codes.deallocate()
        for buffer in [scales, zeros, offsets, blockScales, blockOffsets] { buffer.deallocate() }
    }
}

extension CodedMatrix {
    /// Rows as float32: what the reference implementation of the scheme multiplies with.
    ///
    /// - Parameter values: `[rows, inputs]`.
    package func decode(_ rows: Range<Int>, into values: UnsafeMutableBufferPointer<Float>) {
        let read = CodedRows(self, count: rows.count)
        self.read(from: rows.lowerBound, into: read)
        let numbers = form.numbers
        let groupOfInput = groupOfInput
        let blocks = (inputs + CodedRows.blockSize - 1) / CodedRows.blockSize
        for row in 0..<rows.count {
            for input in 0..<inputs {
                let group = row * groups + Int(groupOfInput[input])
                let block = row * blocks + input / CodedRows.blockSize
                var scale = read.scales[group]
                var value = numbers[Int(read.codes[row * inputs + input])]
                if form.hasTwoLevels { scale = read.blockScales[block] * scale }
                if form.hasZeros { value -= read.zeros[group] }
                value *= scale
                if form.hasOffsets {
                    value -= form.hasTwoLevels ? read.blockOffsets[block] * read.offsets[group] : read.offsets[group]
                }
                values[row * inputs + input] = value
            }
        }
    }

    /// Whether no element of these rows that is a number becomes infinite in a type whose largest number is `limit`. May
    /// say no too early, never too late.
    package func fits(_ rows: CodedRows, within limit: Float) -> Bool {
        let largest = form.numbers.reduce(0) { $1.isNaN ? $0 : max($0, $1.magnitude) }
        let blocks = form.hasTwoLevels ? rows.blockScales.count / max(1, rows.count) : 0
        for index in rows.scales.indices {
            var scale = rows.scales[index].magnitude
            var offset = form.hasOffsets ? rows.offsets[index].magnitude : 0
            if form.hasTwoLevels {
                // Whatever block the group is in.
                let range = index / groups * blocks..<(index / groups + 1) * blocks
                scale *= rows.blockScales[range].reduce(0) { max($0, $1.magnitude) }
                if form.hasOffsets { offset *= rows.blockOffsets[range].reduce(0) { max($0, $1.magnitude) } }
            }
            guard scale.isFinite, offset.isFinite else { continue }
            let zero = form.hasZeros ? rows.zeros[index].magnitude : 0
            if (largest + zero) * scale + offset > limit { return false }
        }
        return true
    }
}
