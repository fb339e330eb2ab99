import Checkpoint
import Compute
import Models
import Tensors
import Testing

/// What a step with experts reads and what it does not.
@Suite struct SparseTests {
    /// The most and the fewest positions at once: however many rows a step has, an expert's matrices enter one product
    /// each, and only if a row chose it.
    @Test(arguments: [1, 3, 40]) func eachActiveExpertIsReadOnce(rows: Int) throws {
        let golden = try GoldenModel("mixtral-f32")
        let spec = try ModelLoader.spec(golden.files)
        let experts = try #require(spec.experts[0])
        let backend = RecordingBackend()
        let run = try ModelRun(golden.files, backend)
        backend.products = []
        _ = run.step([
            .init(tokens: Array(golden.prompt[..<rows]), start: 0, pages: ModelRun.pages(0, tokens: rows))
        ])
        let downs = backend.products.filter { $0.inputs == experts.intermediateSize }
        #expect(downs.count == Set(downs.map(\.weight)).count, "a weight was read twice")
        // Two layers; each row has so many experts in each.
        #expect(downs.reduce(0) { $0 + $1.rows } == 2 * rows * experts.rule.chosen)
        #expect(downs.count <= 2 * min(experts.count, rows * experts.rule.chosen))
        if rows == 1 { #expect(downs.count == 2 * experts.rule.chosen) }
    }

    @Test func choicesFollowTheRules() throws {
        let values: [Float] = [1, 3, 2, 3, -1, 0.5]
        func weights(_ rule: RoutingRule, bias: [Float]? = nil) throws -> [Int: Float] {
            let routing = try Self.route(values, rule, bias: bias)
            return Dictionary(uniqueKeysWithValues: routing.groups.map { ($0.expert, $0.weights[0]) })
        }
        // Equal logits: the lower index first.
        let two = try weights(RoutingRule(.softmaxOfChosen, chosen: 2))
        #expect(two == [1: 0.5, 3: 0.5])
        let normalized = try weights(RoutingRule(.softmax, chosen: 3, normalizes: true))
        #expect(Set(normalized.keys) == [1, 2, 3] && abs(normalized.values.reduce(0, +) - 1) < 1e-6)
        // The bias chooses, the score weighs.
        let biased = try weights(RoutingRule(.sigmoid, chosen: 1, scale: 2), bias: [0, 0, 0, 0, 9, 0])
        #expect(biased.count == 1 && abs((biased[4] ?? 0) - 2 / (1 + 2.718281828)) < 1e-6)
        // Groups (1, 3), (2, 3), (-1, 0.5): by their best alone the first two tie and the first wins.
        let grouped = try weights(
            RoutingRule(.softmax, chosen: 2, groups: .init(count: 3, chosen: 1, best: 1)))
        #expect(Set(grouped.keys) == [0, 1])
        let bySum = try weights(
            RoutingRule(.softmax, chosen: 2, groups: .init(count: 3, chosen: 1, best: 2)))
        #expect(Set(bySum.keys) == [2, 3])
    }

    /// Of one row of logits.
    private static func route(_ values: [Float], _ rule: RoutingRule, bias: [Float]?) throws -> Routing {
        let backend = ReferenceBackend()
        let table = try backend.packWeight([Self.view(values, [1, values.count])])
        let logits = try backend.makeTensor(rows: 1, columns: values.count)
        backend.embed([0], table, into: logits)
        let bias = try bias.map { try backend.makeVector([Self.view($0, [$0.count])]) }
        return backend.route(logits, rule, bias: bias, rows: 1)
    }

    private static func view(_ values: [Float], _ shape: [Int]) -> TensorView {
        TensorView.filled(name: "values", dtype: .float32, shape: shape, piece: values.count) { range, buffer in
            for (place, index) in range.enumerated() { buffer[place] = values[index] }
        }.view
    }
}
