import Checkpoint
import Compute
import Engine
import EngineBench
import Models
import Statistics
import Synchronization
import Tensors
import Testing

struct StepCalibrationTests {
    private static func files() throws -> ModelFiles {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return try .directory("/\(root)/Models/demo")
    }

    /// Uniform, after dense layers, alternating, and what is too small for a difference.
    @Test(arguments: [
        Turns(32, 0, 1, mebibytes: 100, 1, 4), Turns(32, 0, 1, mebibytes: 1024, 1, 2),
        Turns(61, 3, 1, mebibytes: 1024, 4, 5), Turns(26, 0, 6, mebibytes: 64, 2, 8),
        Turns(24, 0, 2, mebibytes: 100, 2, 6), Turns(25, 0, 2, mebibytes: 100, 1, 5),
        Turns(24, 0, 1, mebibytes: 8, 24, nil), Turns(4, 0, 1, mebibytes: 0, 4, nil),
        Turns(1, 0, 1, mebibytes: 1024, 1, nil),
    ])
    func sketchesDifferByWholeTurns(_ turns: Turns) {
        let found = StepCalibration.layers(
            of: turns.count, pattern: (turns.lead, turns.period), bytes: turns.mebibytes << 20)
        #expect(found.few == turns.few && found.many == turns.many)
        if turns.many != nil {
            #expect((turns.count - turns.few) % turns.period == 0, "the last layers are of one kind")
        }
    }

    struct Turns: Sendable {
        var count, lead, period, mebibytes, few: Int
        var many: Int?

        init(_ count: Int, _ lead: Int, _ period: Int, mebibytes: Int, _ few: Int, _ many: Int?) {
            (self.count, self.lead, self.period, self.mebibytes) = (count, lead, period, mebibytes)
            (self.few, self.many) = (few, many)
        }
    }

    @Test func layersThatFollowEachOtherAreFound() throws {
        var spec = try ModelLoader.spec(Self.files())
        #expect(spec.layerPattern == (0, 1))
        func pattern(_ windows: [Int?]) -> [Int] {
            spec.windows = windows
            spec.experts = windows.map { _ in nil }
            return [spec.layerPattern.lead, spec.layerPattern.period]
        }
        #expect(pattern([8, nil, 8, nil, 8]) == [0, 2])
        #expect(pattern([8, 8, 8, 8, nil, 8, 8, 8, 8, nil, 8, 8]) == [0, 5])
        #expect(pattern([nil, nil, 8, 8, 8, 8]) == [2, 1])
        #expect(pattern([8]) == [0, 1])
    }

    @Test func eachLayerMoreCostsTheSame() {
        var (one, four) = (StepCosts(), StepCosts())
        one.rows = [.init(rows: 1, seconds: 3), .init(rows: 8, seconds: 4)]
        four.rows = [.init(rows: 1, seconds: 6), .init(rows: 8, seconds: 10)]
        one.sampled = [.init(rows: 0, seconds: -1)]
        four.sampled = [.init(rows: 0, seconds: -1.5)]
        one.context = [.init(rows: 1, seconds: 0.2)]
        four.context = [.init(rows: 1, seconds: 0.1)]
        let whole = one.extrapolated(through: four, by: 9)
        #expect(whole.rows == [.init(rows: 1, seconds: 30), .init(rows: 8, seconds: 58)])
        #expect(whole.sampled == [.init(rows: 0, seconds: -5.5)])
        #expect(whole.context == [.init(rows: 1, seconds: 0)], "noise is not taken for a gain")
    }

    /// Twenty tokens lie before a decoding sequence's row, on average, and cost what context costs.
    @Test func costsFollowFromTheTimesOfSteps() {
        let costs = StepCalibration.costs(
            [
                .decode(sequences: 1, behind: 0): 1, .decode(sequences: 2, behind: 0): 3,
                .feed(rows: 2, behind: 0): 1.5,
                .decode(sequences: 1, behind: 100): 2, .feed(rows: 8, behind: 0): 4, .feed(rows: 8, behind: 100): 8,
                .chunk: 3,
            ], before: 100, chunk: 8)
        #expect(costs.rows == [.init(rows: 1, seconds: 1), .init(rows: 2, seconds: 1.5), .init(rows: 8, seconds: 4)])
        #expect(costs.context == [.init(rows: 1, seconds: 0.01), .init(rows: 8, seconds: 0.04)])
        #expect(costs.sampled.map(\.rows) == [0, 1, 2])
        #expect(costs.sampled[0].seconds == -1 && costs.sampled[1].seconds == 0)
        #expect(abs(costs.sampled[2].seconds - (1.5 - 2 * 20 * 0.01)) < 1e-12)
    }

    /// No number of the checkpoint is read, and no tensor of a layer beyond the first ones.
    @Test func aSketchIsTheBeginningOfItsModel() throws {
        let asked = Mutex<[String]>([])
        let sketch = ModelSketch(layers: 2) { tensor, dtype in
            asked.withLock { $0.append(tensor.name) }
            let count = tensor.shape.reduce(1, *)
            return TensorView.filled(name: tensor.name, dtype: dtype, shape: tensor.shape, piece: count) { _, buffer in
                buffer.update(repeating: 0.5)
            }.view
        }
        let backend = try CPUBackend(kernels: nil, threads: 1, pin: false)
        let model = try ModelLoader.load(
            Self.files(), backend: backend, limits: ModelLimits(maximumRows: 4, maximumSampledRows: 1), sketch: sketch)
        #expect(model.kvLayout(pageSize: 16).layers == 2)
        let names = Set(asked.withLock { $0 })
        #expect(names.count == 2 * 9 + 2)
        #expect(!names.contains { $0.hasPrefix("model.layers.2") })
    }

    @Test func everyPointIsSeen() async throws {
        var configuration = EngineConfiguration(modelPath: "demo")
        configuration.chunkedPrefillSize = 64
        configuration.contextLength = 512
        let costs = try await StepCalibration(
            configuration, files: Self.files(), poolTokens: 4096, layerBytes: 1 << 20,
            backend: { try CPUBackend(kernels: nil, threads: 1, pin: false) }
        ).measure()
        #expect(costs.rows.map(\.rows) == [1, 2, 4, 8, 12, 16, 20, 24, 32, 48, 64])
        #expect(costs.rows.allSatisfy { $0.seconds > 0 })
        #expect(costs.sampled.map(\.rows) == [0, 1, 2, 4, 8, 16, 32, 64])
        #expect(costs.sampled[0].seconds <= 0 && costs.sampled[1].seconds == 0)
        #expect(costs.context.map(\.rows) == [1, 8, 32])
    }
}
