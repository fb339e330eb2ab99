import Compute
import Tensors
import Testing

/// Attention with its rotary embedding and page writes: against the reference, and against itself in other company.
struct AttentionTests {
    static let paths = CPUBackend.availableKernelPaths()
    static let types = KVLayout.dtypes

    /// A key between two numbers of the cache's type may be rounded either way, and the dot-product path rounds queries
    /// and weights to bfloat16 too, which the reference does not. Norms make scores, and so both errors, larger.
    private func tolerance(_ path: String, _ dtype: DType, norms: Bool = false) -> Float {
        switch dtype {
        case .float32: 2e-4
        case .float16: 4e-3
        // A step of the largest magnitude / 127, and one of an eighth of a number.
        case .int8: norms ? 0.2 : 0.06
        case .float8e4m3: norms ? 0.6 : 0.3
        default: path == "avx512bf16" ? (norms ? 0.2 : 0.04) : 0.03
        }
    }

    private func expectClose(_ a: [[[Float]]], _ b: [[[Float]]], _ limit: Float, _ what: String) {
        var worst: Float = 0
        for (x, y) in zip(a.joined().joined(), b.joined().joined()) {
            worst = max(worst, x.isFinite && y.isFinite ? abs(x - y) : .infinity)
        }
        #expect(worst <= limit, "\(what): largest difference \(worst)")
    }

    @Test(arguments: paths, types)
    func agreesWithTheReference(path: String, dtype: DType) throws {
        let seed = UInt64.random(in: 0..<1 << 32)
        var numbers = Numbers(seed: seed)
        for _ in 0..<10 {
            let d = [8, 16, 24, 32, 40, 64, 72, 80, 96, 128, 256][numbers.below(11)]
            let kvHeads = 1 + numbers.below(2)
            var shape = AttentionShape(
                heads: kvHeads * (1 + numbers.below(7)), keyValueHeads: kvHeads, headDimension: d,
                scale: 1 / Float(d).squareRoot())
            shape.window = numbers.below(3) == 0 ? 1 + numbers.below(90) : nil
            let lengths = (0...numbers.below(3)).map { 1 + numbers.below($0 == 0 ? 150 : 40) }
            var scene = AttentionScene(
                shape: shape, dtype: dtype, pageSize: 16 * (1 + numbers.below(3)), layers: 2, lengths: lengths)
            scene.layer = numbers.below(2)
            scene.pairs = numbers.below(3) == 0 ? d / 4 : d / 2
            scene.pairing = numbers.below(2) == 0 ? .halves : .interleaved
            scene.norms = numbers.below(2) == 0
            let steps = scene.together(chunk: 1 + numbers.below(100))
            let backend = try CPUBackend(kernels: path, threads: 2, pin: false)
            let expected = try scene.run(ReferenceBackend(), steps: steps)
            let found = try scene.run(backend, steps: steps)
            expectClose(
                expected, found, tolerance(path, dtype, norms: scene.norms),
                "seed \(seed), \(shape), \(scene.layout), \(lengths)")
        }
    }

    /// DeepSeek's attention: one head in the cache, no values, many heads that ask; with sinks now and then.
    @Test(arguments: paths, types)
    func latentPagesAndSinksAgreeWithTheReference(path: String, dtype: DType) throws {
        let seed = UInt64.random(in: 0..<1 << 32)
        var numbers = Numbers(seed: seed)
        for round in 0..<8 {
            let latent = round % 2 == 0
            let d = latent ? [24, 40, 72, 96, 576][numbers.below(5)] : [16, 64, 80][numbers.below(3)]
            let heads = [1, 4, 16, 50][numbers.below(4)]
            var shape = AttentionShape(
                heads: heads, keyValueHeads: 1, headDimension: d, scale: 1 / Float(d).squareRoot())
            shape.window = numbers.below(3) == 0 ? 1 + numbers.below(90) : nil
            let lengths = (0...numbers.below(3)).map { 1 + numbers.below($0 == 0 ? 100 : 40) }
            var scene = AttentionScene(
                shape: shape, dtype: dtype, pageSize: 16 * (1 + numbers.below(3)), layers: 2, lengths: lengths,
                latent: latent)
            scene.layer = numbers.below(2)
            scene.pairs = min(d / 2, 4 * (1 + numbers.below(8)))
            scene.pairing = numbers.below(2) == 0 ? .halves : .interleaved
            if !latent || numbers.below(3) == 0 { scene.sinks = numbers.floats(heads, scale: 4) }
            let steps = scene.together(chunk: 1 + numbers.below(70))
            let backend = try CPUBackend(kernels: path, threads: 2, pin: false)
            let expected = try scene.run(ReferenceBackend(), steps: steps)
            let found = try scene.run(backend, steps: steps)
            expectClose(
                expected, found, tolerance(path, dtype), "seed \(seed), \(shape), \(scene.layout), \(lengths)")
        }
    }

    /// A sink takes its share of every row; one that outweighs all scores leaves nothing, and a low one changes nothing.
    @Test(arguments: paths)
    func sinksTakeTheirShare(path: String) throws {
        let shape = AttentionShape(heads: 2, keyValueHeads: 1, headDimension: 16, scale: 0.25)
        var scene = AttentionScene(shape: shape, dtype: .float32, lengths: [40])
        let backend = try CPUBackend(kernels: path, threads: 2, pin: false)
        let steps = scene.alone(chunk: 40)
        let without = try scene.run(backend, steps: steps)[0]
        scene.sinks = [-500, 500]
        for (row, plain) in zip(try scene.run(backend, steps: steps)[0], without) {
            #expect(row[..<16] == plain[..<16])
            #expect(row[16...].allSatisfy { $0 == 0 })
        }
        // Token 0 sees itself alone: its score and the sink's share the whole.
        let first = scene.token(0, 0)
        let score = zip(first[..<16], first[32..<48]).reduce(Float(0)) { $0 + $1.0 * $1.1 } * shape.scale
        scene.sinks = [score, score]
        let half = try scene.run(backend, steps: steps)[0][0]
        for (found, value) in zip(half[..<16], first[48..<64]) { #expect(abs(found - value / 2) < 1e-5) }
    }

    @Test(arguments: paths, types)
    func severalSplitsAgreeWithTheReference(path: String, dtype: DType) throws {
        let shape = AttentionShape(heads: 2, keyValueHeads: 1, headDimension: 16, scale: 0.25)
        let scene = AttentionScene(shape: shape, dtype: dtype, lengths: [1100])
        let backend = try CPUBackend(kernels: path, threads: 2, pin: false)
        let steps: [AttentionScene.Step] = [[(0, 0..<1090)]] + (1090..<1100).map { [(0, $0..<$0 + 1)] }
        expectClose(
            try scene.run(ReferenceBackend(), steps: steps), try scene.run(backend, steps: steps),
            tolerance(path, dtype), path)
    }

    /// What the prefix cache stands on: the same bits in any chunks, with any neighbours, on any number of threads.
    @Test(arguments: paths, types)
    func aRowKeepsItsBits(path: String, dtype: DType) throws {
        // Two splits, so that decoding steps are cut between threads; and what ends within one.
        try expectSameBits(path, dtype, lengths: [570], [(2, 559, 1), (3, 0, 64), (3, 300, 31), (1, 0, 333)])
        try expectSameBits(path, dtype, lengths: [65, 130, 1], [(1, 0, 1), (2, 0, 7), (2, 20, 1), (3, 0, 64)])
    }

    /// - Parameter runs: threads, length of the first chunk, length of the others.
    private func expectSameBits(
        _ path: String, _ dtype: DType, lengths: [Int], _ runs: [(threads: Int, first: Int, chunk: Int)]
    ) throws {
        let kinds: [(window: Int?, latent: Bool)] = [(nil, false), (70, false), (nil, true)]
        for (window, latent) in kinds {
            let shape = AttentionShape(heads: 7, keyValueHeads: 1, headDimension: 24, scale: 0.2, window: window)
            var scene = AttentionScene(shape: shape, dtype: dtype, lengths: lengths, latent: latent)
            if latent { scene.sinks = [0, 1, -1, 2, 0.5, 3, -2] }
            let single = try CPUBackend(kernels: path, threads: 1, pin: false)
            let whole = bits(try scene.run(single, steps: scene.alone(chunk: 2000)))
            for run in runs {
                let backend = try CPUBackend(kernels: path, threads: run.threads, pin: false)
                let alone = scene.alone(first: run.first, chunk: run.chunk)
                #expect(bits(try scene.run(backend, steps: alone)) == whole, "\(path) \(dtype), alone, \(run)")
                let together = scene.together(first: run.first, chunk: run.chunk)
                #expect(bits(try scene.run(backend, steps: together)) == whole, "\(path) \(dtype), together, \(run)")
            }
        }
    }

    @Test(arguments: paths, types)
    func whatLiesBeyondTheEndDoesNotMatter(path: String, dtype: DType) throws {
        let shape = AttentionShape(heads: 4, keyValueHeads: 2, headDimension: 24, scale: 0.2)
        let scene = AttentionScene(shape: shape, dtype: dtype, pageSize: 32, lengths: [77, 3, 16, 33])
        let backend = try CPUBackend(kernels: path, threads: 2, pin: false)
        let steps = scene.together(chunk: 29)
        let clean = bits(try scene.run(backend, steps: steps))
        for byte: UInt8 in [0xff, 0x7f, 0x80] {
            let spoilt = try scene.run(backend, steps: steps) { cache in
                guard let cache = cache as? CPUKVCache else { return }
                for page in 0..<Int32(cache.pageCount) {
                    for index in cache.bytes(ofPage: page).indices { cache.bytes(ofPage: page)[index] = byte }
                }
            }
            #expect(bits(spoilt) == clean, "\(path) \(dtype), filled with \(byte)")
        }
    }

    /// NaN and infinity of one token reach its own row and those after it, never those before it or its neighbours.
    @Test(arguments: paths, types)
    func aPoisonedTokenStaysWhereItIs(path: String, dtype: DType) throws {
        let shape = AttentionShape(heads: 2, keyValueHeads: 1, headDimension: 16, scale: 0.25)
        let scene = AttentionScene(shape: shape, dtype: dtype, lengths: [40])
        let backend = try CPUBackend(kernels: path, threads: 1, pin: false)
        let clean = bits(try scene.run(backend, steps: scene.alone(chunk: 40)))
        for poison in [Float.nan, .infinity, -.infinity] {
            let output = try backend.makeTensor(rows: 40, columns: 32)
            let qkv = try backend.makeTensor(rows: 40, columns: scene.columns)
            let cache = try backend.makeKVCache(scene.layout, pages: scene.pages)
            let rotary = try backend.makeRotary(
                inverseFrequencies: (0..<8).map { 1 / (Float(1) + Float($0) * 3) }, amplitude: 1, pairing: .halves,
                rows: 40)
            var context = ForwardContext()
            context.pageTable = scene.pageTable(0)
            context.sequences = [
                SequenceSpan(firstRow: 0, rowCount: 40, startPosition: 0, firstPage: 0, pageCount: 3)
            ]
            var values: [Float] = []
            for position in 0..<40 {
                context.tokens.append(0)
                context.positions.append(Int32(position))
                values += position == 30 ? [Float](repeating: poison, count: scene.columns) : scene.token(0, position)
            }
            let table = try backend.packWeight([floatView(values, [40, scene.columns])])
            backend.embed((0..<40).map { Int32($0) }, table, into: qkv)
            backend.prepare(rotary, context)
            backend.rotateAndStore(
                qkv, shape, queryNorm: nil, keyNorm: nil, epsilon: 1e-6, rotary: rotary, cache: cache, layer: 0,
                context)
            backend.attention(qkv, shape, cache: cache, layer: 0, context, into: output)
            for row in 0..<30 {
                #expect(
                    backend.read(output, row: row).map(\.bitPattern) == clean[0][row], "\(path) \(dtype) row \(row)")
            }
        }
    }

    @Test(arguments: types)
    func aCopiedPageContinuesTheSequence(dtype: DType) throws {
        let shape = AttentionShape(heads: 2, keyValueHeads: 2, headDimension: 8, scale: 0.3)
        let scene = AttentionScene(shape: shape, dtype: dtype, pageSize: 48, layers: 3, lengths: [40])
        let backend = try CPUBackend(kernels: nil, threads: 1, pin: false)
        let cache = try backend.makeKVCache(scene.layout, pages: 4)
        guard let pages = cache as? CPUKVCache else { return }
        for page in 0..<Int32(4) {
            for index in pages.bytes(ofPage: page).indices {
                pages.bytes(ofPage: page)[index] = UInt8(truncatingIfNeeded: index * 7 + Int(page))
            }
        }
        let source = Array(pages.bytes(ofPage: 1))
        for tokens in [0, 1, 16, 17, 48] {
            for index in pages.bytes(ofPage: 3).indices { pages.bytes(ofPage: 3)[index] = 0 }
            backend.copyPage(cache, from: 1, to: 3, tokens: tokens)
            let blocks = (tokens + 15) / 16
            // [layer][kv head][block][keys, values]: the blocks that hold the tokens, in all layers and heads.
            let block = 2 * 16 * scene.layout.bytesPerHead
            for (index, byte) in pages.bytes(ofPage: 3).enumerated() {
                let expected = index / block % 3 < blocks ? source[index] : 0
                if byte != expected {
                    Issue.record("\(dtype), \(tokens) tokens: byte \(index) is \(byte), expected \(expected)")
                    break
                }
            }
            #expect(Array(pages.bytes(ofPage: 1)) == source)
            #expect(pages.bytes(ofPage: 2)[0] == 2)
        }
    }

    /// Fetching memory ahead changes no byte, keeps its bound, and goes on when more pages are in use.
    @Test func memoryIsFetchedAheadOfUse() throws {
        let layout = KVLayout(layers: 8, keyValueHeads: 8, headDimension: 64, pageSize: 64, dtype: .bfloat16)
        let backend = try CPUBackend(kernels: nil, threads: 1, pin: false)
        // A page is 1 MiB.
        let cache = try backend.makeKVCache(layout, pages: 100)
        for page in [Int32(0), 40, 99] {
            let bytes = try #require(cache.hostBytes(ofPage: page))
            for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: index &* 31 &+ Int(page)) }
        }
        func steps(beyond used: Int) -> Int {
            var count = 0
            while count < 1000, cache.warm(beyond: used) { count += 1 }
            return count
        }
        let first = steps(beyond: 1)
        #expect(first <= 33)
        #expect(steps(beyond: 1) == 0)
        // A system without the call does nothing at all.
        if first > 0 { #expect(steps(beyond: 21) == 10) }
        #expect(steps(beyond: 100) <= 50)
        #expect(!cache.warm(beyond: 100))
        for page in [Int32(0), 40, 99] {
            let bytes = try #require(cache.hostBytes(ofPage: page))
            #expect(bytes.indices.allSatisfy { bytes[$0] == UInt8(truncatingIfNeeded: $0 &* 31 &+ Int(page)) })
        }
    }

    @Test func aCacheThatDoesNotFitIsRefused() throws {
        let backend = try CPUBackend(kernels: nil, threads: 1, pin: false)
        let layout = KVLayout(layers: 128, keyValueHeads: 64, headDimension: 256, pageSize: 4096, dtype: .float32)
        #expect(throws: ComputeError.self) { try backend.makeKVCache(layout, pages: 1 << 30) }
        #expect(throws: ComputeError.self) { try backend.makeKVCache(layout, pages: Int.max / 2) }
        #expect(throws: ComputeError.self) { try backend.makeTensor(rows: 1 << 40, columns: 1 << 20) }
    }
}
