package import Checkpoint
import Glibc
import Tensors

/// What sentence-transformers' modules do with a pooled vector: projections, then length 1.
package struct VectorProjection: Sendable {
    private struct Dense {
        /// `[outputs, inputs]`, row by row.
        var weight: [Float]
        var bias: [Float]
        var inputs: Int
        var appliesTanh: Bool
    }

    private let dense: [Dense]
    private let normalizes: Bool
    /// Numbers of a finished vector.
    package let dimensions: Int

    /// - Parameter hidden: numbers of a pooled vector.
    /// - Throws: what is wrong with a module's files; `ModelError` for a shape or activation that does not fit.
    package init(_ modules: SentenceModules, hidden: Int) throws {
        var size = hidden
        var dense: [Dense] = []
        for module in modules.dense {
            let source = try ModelDirectory.weights(module.files)
            let parts =
                [WeightNames.Part(name: "linear.weight", shape: [module.outputs, size])]
                + (module.hasBias ? [WeightNames.Part(name: "linear.bias", shape: [module.outputs])] : [])
            try ModelLoader.check(parts, source)
            let activation = module.activation.split(separator: ".").last ?? ""
            guard activation == "Tanh" || activation == "Identity" else {
                throw ModelError.unsupportedSetting(
                    file: module.files.path(of: "config.json"), key: "activation_function",
                    found: "\"\(module.activation)\"", supported: "Tanh and Identity run")
            }
            let values = try parts.map { try source.tensor($0.name).floats().map { [Float]($0) } ?? [] }
            dense.append(
                Dense(
                    weight: values[0], bias: values.count > 1 ? values[1] : [], inputs: size,
                    appliesTanh: activation == "Tanh"))
            size = module.outputs
        }
        self.dense = dense
        normalizes = modules.normalizes
        dimensions = size
    }

    /// - Complexity: O(weights of the projections).
    package func apply(_ vector: [Float]) -> [Float] {
        var vector = vector
        for layer in dense {
            vector = (0..<layer.weight.count / layer.inputs).map { row in
                var sum = layer.bias.isEmpty ? 0.0 : Double(layer.bias[row])
                for i in 0..<layer.inputs {
                    sum += Double(layer.weight[row * layer.inputs + i]) * Double(vector[i])
                }
                return Float(layer.appliesTanh ? tanh(sum) : sum)
            }
        }
        return normalizes ? Self.normalized(vector) : vector
    }

    /// With length 1; zeros stay zeros.
    package static func normalized(_ vector: [Float]) -> [Float] {
        let length = vector.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        return length > 0 ? vector.map { Float(Double($0) / length) } : vector
    }
}
