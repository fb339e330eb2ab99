import Compute
import Tensors
import Testing

/// Attention that goes through the pages of a shared beginning once for all who share it: the bits of each alone.
struct SharedAttentionTests {
    /// Sequences that begin with pages of earlier ones, here and there deeper than a split of 512 tokens.
    private static func scene(_ numbers: inout Numbers, dtype: DType) -> AttentionScene {
        let kvHeads = 1 + numbers.below(2)
        let shape = AttentionShape(
            heads: kvHeads * [1, 1, 2, 3, 7][numbers.below(5)], keyValueHeads: kvHeads,
            headDimension: [8, 16, 24][numbers.below(3)], scale: 0.3)
        let pageSize = [16, 32, 48][numbers.below(3)]
        let count = 2 + numbers.below(7)
        var lengths = [1100 + numbers.below(900)]
        var origins: [Int: (sequence: Int, pages: Int)] = [:]
        for sequence in 1..<count {
            let parent = numbers.below(sequence)
            // Deep, shallow, or anywhere.
            let most = (lengths[parent] - 12) / pageSize
            let pages = [most, min(most, numbers.below(20)), numbers.below(most + 1)][numbers.below(3)]
            origins[sequence] = (parent, pages)
            lengths.append(pages * pageSize + 12 + numbers.below(numbers.below(3) == 0 ? 700 : 40))
        }
        var scene = AttentionScene(shape: shape, dtype: dtype, pageSize: pageSize, lengths: lengths)
        scene.origins = origins
        return scene
    }

    /// All but the last rows of each sequence, then these in one step.
    private static func steps(_ scene: AttentionScene, _ numbers: inout Numbers) -> [AttentionScene.Step] {
        let most = [1, 1, 9][numbers.below(3)]
        var steps: [AttentionScene.Step] = []
        var last: AttentionScene.Step = []
        for (sequence, length) in scene.lengths.enumerated() {
            let own = (scene.origins[sequence]?.pages ?? 0) * scene.layout.pageSize
            let rows = 1 + numbers.below(most)
            steps.append([(sequence, own..<length - rows)])
            last.append((sequence, length - rows..<length))
        }
        last.sort { scene.pageTable($0.sequence).lexicographicallyPrecedes(scene.pageTable($1.sequence)) }
        // Neighbours that share nothing, or less than those beyond them, are possible too.
        if numbers.below(4) == 0 { last.swapAt(0, last.count / 2) }
        return steps + [last]
    }

    @Test(arguments: CPUBackend.availableKernelPaths(), [DType.float32, .float16, .bfloat16])
    func sharingChangesNoBit(path: String, dtype: DType) throws {
        let seed = UInt64.random(in: 0..<1 << 32)
        var numbers = Numbers(seed: seed)
        var shared = 0
        for _ in 0..<8 {
            let scene = Self.scene(&numbers, dtype: dtype)
            let steps = Self.steps(scene, &numbers)
            let one = try CPUBackend(kernels: path, threads: 1, pin: false)
            let alone = bits(try scene.run(one, steps: steps, onlyLast: true))
            for threads in 1...3 {
                let backend = try CPUBackend(kernels: path, threads: threads, pin: false)
                let together = bits(try scene.run(backend, steps: steps, sharing: true, onlyLast: true))
                #expect(together == alone, "seed \(seed), \(threads) threads, \(scene)")
            }
            let (apart, once) = (
                Self.passes(scene, steps, sharing: false), Self.passes(scene, steps, sharing: true)
            )
            #expect(once <= apart)
            shared += apart - once
        }
        #expect(shared > 0, "nothing was shared")
    }

    private static func passes(_ scene: AttentionScene, _ steps: [AttentionScene.Step], sharing: Bool) -> Int {
        guard let last = steps.last else { return 0 }
        var plan = AttentionPlan()
        plan.make(
            scene.context(of: last, sharing: sharing), scene.shape, pageSize: scene.layout.pageSize, threads: 1,
            stateCapacity: 100_000)
        return plan.passes
    }

    /// Eight sequences behind a document of four splits, three of them behind two more.
    @Test func aSplitIsReadOnce() {
        let shape = AttentionShape(heads: 6, keyValueHeads: 2, headDimension: 16, scale: 0.25)
        var scene = AttentionScene(
            shape: shape, dtype: .float32, lengths: [3100] + Array(repeating: 2100, count: 5) + [3100, 3100])
        for sequence in 1..<6 { scene.origins[sequence] = (0, 128) }
        for sequence in 6..<8 { scene.origins[sequence] = (0, 192) }
        let last: AttentionScene.Step = [0, 6, 7, 1, 2, 3, 4, 5].map {
            ($0, scene.lengths[$0] - 1..<scene.lengths[$0])
        }
        // Of two kv heads: what each has of its own, and what is shared.
        #expect(Self.passes(scene, [last], sharing: false) == 2 * (3 * 7 + 5 * 5))
        #expect(Self.passes(scene, [last], sharing: true) == 2 * (4 + 2 + 3 + 5))
        // A window sees no shared beginning.
        scene.shape.window = 600
        #expect(Self.passes(scene, [last], sharing: true) == Self.passes(scene, [last], sharing: false))
    }
}
