package import Checkpoint
package import Tensors

/// A model of the same kind with less in it: its first layers, with made-up numbers for weights. Its steps take what
/// those layers of the model itself would take, and no weight has to be read.
package struct ModelSketch: Sendable {
    package var layers: Int
    /// Makes the numbers of a tensor, of its floating type and shape.
    package var weights: @Sendable (TensorInformation, DType) -> TensorView

    /// - Parameter layers: at least 1; more than the model has mean all of them.
    package init(layers: Int, weights: @escaping @Sendable (TensorInformation, DType) -> TensorView) {
        self.layers = layers
        self.weights = weights
    }
}

/// The names and shapes of a checkpoint, with other numbers. What is quantized keeps its own: its codes are what the
/// kernels read, and few.
final class SketchedWeights: WeightSource {
    private let source: any WeightSource
    private let weights: (TensorInformation, DType) -> TensorView

    init(_ source: any WeightSource, _ sketch: ModelSketch) {
        self.source = source
        weights = sketch.weights
    }

    var description: String { source.description }
    var names: [String] { source.names }
    func information(_ name: String) -> TensorInformation? { source.information(name) }

    func tensor(_ name: String) throws(CheckpointError) -> TensorView {
        guard let information = source.information(name), let dtype = information.dtype, dtype.isFloatingPoint else {
            return try source.tensor(name)
        }
        return weights(information, dtype)
    }

    func coded(_ name: String) throws(CheckpointError) -> (any CodedMatrix)? { try source.coded(name) }
    func release(_ name: String) { source.release(name) }
}

extension DecoderSpec {
    /// The decoder of the first so many layers.
    func first(_ layers: Int) -> DecoderSpec {
        var spec = self
        spec.windows = Array(windows.prefix(layers))
        spec.rotations = Array(rotations.prefix(layers))
        spec.experts = Array(experts.prefix(layers))
        return spec
    }

    /// How the kinds of layers follow each other: after `lead` layers of their own, those up to the last one repeat every
    /// `period`. A model whose layers are all alike has no lead and a period of 1.
    package var layerPattern: (lead: Int, period: Int) {
        func alike(_ a: Int, _ b: Int) -> Bool { windows[a] == windows[b] && experts[a] == experts[b] }
        let count = layerCount
        var best = (lead: 0, period: count)
        for period in 1..<max(2, count) {
            let lead = (period..<count).last { !alike($0, $0 - period) }.map { $0 - period + 1 } ?? 0
            if lead + period < best.lead + best.period { best = (lead, period) }
        }
        return best
    }
}
