import Checkpoint
import Models
import Statistics
import Tensors

extension ModelSketch {
    /// Random weights of such a size that what a matrix is multiplied with keeps its own.
    static func random(layers: Int) -> ModelSketch {
        // A prime, so that no two rows of a matrix are alike.
        let table = 65_521
        var numbers = RandomSource(seed: 3)
        let values = (0..<table).map { _ in Float(numbers.unit()) }
        return ModelSketch(layers: layers) { tensor, dtype in
            let isMatrix = tensor.shape.count > 1
            let reach = isMatrix ? (3 / Float(tensor.shape.last ?? 1)).squareRoot() : 1
            return TensorView.filled(
                name: tensor.name, dtype: dtype, shape: tensor.shape, piece: table
            ) { range, buffer in
                // Vectors are norms and biases: positive.
                for place in 0..<range.count {
                    buffer[place] = isMatrix ? (2 * values[place] - 1) * reach : values[place]
                }
            }.view
        }
    }
}
