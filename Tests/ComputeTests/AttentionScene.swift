import Compute
import Tensors

/// SplitMix64 (Steele, Lea, Flood 2014), for values that are the same in every run.
struct Numbers {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// In -1 ..< 1.
    mutating func float() -> Float { Float(Int32(truncatingIfNeeded: next() >> 32)) * 0x1p-31 }

    /// In 0 ..< bound.
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    mutating func floats(_ count: Int, scale: Float = 1) -> [Float] { (0..<count).map { _ in float() * scale } }
}

/// Bytes that a `TensorView` borrows.
private final class Bytes {
    let buffer: UnsafeMutableRawBufferPointer

    init(_ values: [Float]) {
        buffer = .allocate(byteCount: max(4, values.count * 4), alignment: 64)
        values.withUnsafeBytes { buffer.copyMemory(from: $0) }
    }

    deinit { buffer.deallocate() }
}

func floatView(_ values: [Float], _ shape: [Int]) -> TensorView {
    let bytes = Bytes(values)
    return TensorView(
        name: "values", dtype: .float32, shape: shape,
        bytes: UnsafeRawBufferPointer(rebasing: bytes.buffer[..<(values.count * 4)]), owner: bytes)
}

/// Tokens of several sequences with random queries, keys and values, fed to a backend in any pieces. A token's numbers
/// depend on its sequence and position only.
struct AttentionScene {
    var shape: AttentionShape
    var layout: KVLayout
    /// Tokens of each sequence.
    var lengths: [Int]
    var pairs: Int
    var pairing = RotaryPairing.halves
    var norms = false
    /// Scores without values, one for each head.
    var sinks: [Float]?
    var layer = 0
    var pages = 0
    /// What a sequence begins with: so many leading pages of an earlier one. Their tokens are fed by that one.
    var origins: [Int: (sequence: Int, pages: Int)] = [:]

    var columns: Int { layout.projectionColumns(heads: shape.heads) }

    init(
        shape: AttentionShape, dtype: DType, pageSize: Int = 16, layers: Int = 1, lengths: [Int], latent: Bool = false
    ) {
        self.shape = shape
        self.lengths = lengths
        layout = KVLayout(
            layers: layers, keyValueHeads: shape.keyValueHeads, headDimension: shape.headDimension,
            pageSize: pageSize, dtype: dtype, isLatent: latent)
        pairs = shape.headDimension / 2
        pages = lengths.reduce(1) { $0 + ($1 + pageSize - 1) / pageSize }
    }

    func token(_ sequence: Int, _ position: Int) -> [Float] {
        if let origin = origins[sequence], position < origin.pages * layout.pageSize {
            return token(origin.sequence, position)
        }
        var numbers = Numbers(seed: UInt64(sequence * 1_000_003 + position))
        return numbers.floats(columns, scale: 2)
    }

    /// Pages of a sequence, in an order that is not the order of positions.
    func pageTable(_ sequence: Int) -> [Int32] {
        func count(_ length: Int) -> Int { (length + layout.pageSize - 1) / layout.pageSize }
        let first = 1 + lengths[..<sequence].reduce(0) { $0 + count($1) }
        var table: [Int32] = (0..<count(lengths[sequence])).map { Int32(first + $0) }.reversed()
        if let origin = origins[sequence] {
            table.replaceSubrange(..<origin.pages, with: pageTable(origin.sequence).prefix(origin.pages))
        }
        return table
    }

    /// One step: pieces of sequences, laid one below the other.
    typealias Step = [(sequence: Int, positions: Range<Int>)]

    /// Feeds the steps one after the other.
    ///
    /// - Parameters:
    ///   - sharing: tells the backend which pages neighbours have in common.
    ///   - onlyLast: the steps before the last one only store keys and values.
    ///   - prepare: sees the cache before anything is written.
    /// - Returns: the output of each token of each sequence.
    func run(
        _ backend: any Backend, steps: [Step], sharing: Bool = false, onlyLast: Bool = false,
        prepare: (KVCache) -> Void = { _ in }
    ) throws -> [[[Float]]] {
        let most = steps.map { $0.reduce(0) { $0 + $1.positions.count } }.max() ?? 0
        let output = try backend.makeTensor(rows: most, columns: shape.heads * shape.headDimension)
        let qkv = try backend.makeTensor(rows: most, columns: columns)
        let cache = try backend.makeKVCache(layout, pages: pages)
        prepare(cache)
        let frequencies = (0..<pairs).map { 1 / (Float(1) + Float($0) * 3) }
        let rotary = try backend.makeRotary(
            inverseFrequencies: frequencies, amplitude: 1, pairing: pairing, rows: most)
        let ones = (0..<shape.headDimension).map { 1 + Float($0) / 64 }
        let norm = norms ? try backend.makeVector([floatView(ones, [ones.count])]) : nil
        let sinks = try sinks.map { try backend.makeVector([floatView($0, [$0.count])]) }
        var result = lengths.map { [[Float]](repeating: [], count: $0) }
        backend.beginStep()
        defer { backend.endStep() }
        for (number, step) in steps.enumerated() {
            let context = context(of: step, sharing: sharing)
            let values = step.flatMap { piece in piece.positions.flatMap { token(piece.sequence, $0) } }
            let rows = context.rowCount
            // By way of an embedding table: tensors have no other door for data.
            let table = try backend.packWeight([floatView(values, [rows, columns])])
            backend.embed((0..<Int32(rows)).map { $0 }, table, into: qkv)
            backend.prepare(rotary, context)
            backend.rotateAndStore(
                qkv, shape, queryNorm: norm, keyNorm: norm, epsilon: 1e-6, rotary: rotary, cache: cache,
                layer: layer, context)
            if onlyLast, number < steps.count - 1 { continue }
            backend.attention(qkv, shape, sinks: sinks, cache: cache, layer: layer, context, into: output)
            var row = 0
            for piece in step {
                for position in piece.positions {
                    result[piece.sequence][position] = backend.read(output, row: row)
                    row += 1
                }
            }
        }
        return result
    }

    func context(of step: Step, sharing: Bool) -> ForwardContext {
        var context = ForwardContext()
        var before: [Int32] = []
        for piece in step {
            let table = pageTable(piece.sequence)
            context.sequences.append(
                SequenceSpan(
                    firstRow: context.tokens.count, rowCount: piece.positions.count,
                    startPosition: piece.positions.lowerBound, firstPage: context.pageTable.count,
                    pageCount: table.count, sharedPages: sharing ? zip(before, table).prefix { $0 == $1 }.count : 0))
            context.pageTable += table
            context.tokens += piece.positions.map { _ in 0 }
            context.positions += piece.positions.map { Int32($0) }
            before = table
        }
        return context
    }

    /// Chunks of a sequence: one of up to `first` tokens, then of `chunk`.
    private func chunks(_ sequence: Int, first: Int, chunk: Int) -> [Range<Int>] {
        let length = lengths[sequence]
        let start = min(first, length)
        let rest = stride(from: start, to: length, by: chunk).map { $0..<min($0 + chunk, length) }
        return (start > 0 ? [0..<start] : []) + rest
    }

    /// Each sequence alone.
    func alone(first: Int = 0, chunk: Int) -> [Step] {
        lengths.indices.flatMap { sequence in
            chunks(sequence, first: first, chunk: chunk).map { [(sequence, $0)] }
        }
    }

    /// All sequences in every step, until each has ended.
    func together(first: Int = 0, chunk: Int) -> [Step] {
        let pieces = lengths.indices.map { chunks($0, first: first, chunk: chunk) }
        return (0..<(pieces.map(\.count).max() ?? 0)).map { step in
            pieces.indices.compactMap { pieces[$0].indices.contains(step) ? ($0, pieces[$0][step]) : nil }
        }
    }
}

func bits(_ values: [[[Float]]]) -> [[[UInt32]]] { values.map { $0.map { $0.map(\.bitPattern) } } }
