/// Sizes of a model, as far as kernels see them.
package struct ModelShape: Sendable {
    package var name: String
    package var hidden: Int
    package var intermediate: Int
    package var heads: Int
    package var keyValueHeads: Int
    package var headDimension: Int
    package var vocabulary: Int

    package init(
        name: String, hidden: Int, intermediate: Int, heads: Int, keyValueHeads: Int, headDimension: Int,
        vocabulary: Int
    ) {
        self.name = name
        self.hidden = hidden
        self.intermediate = intermediate
        self.heads = heads
        self.keyValueHeads = keyValueHeads
        self.headDimension = headDimension
        self.vocabulary = vocabulary
    }

    /// Qwen2.5-0.5B.
    package static let half = ModelShape(
        name: "0.5B", hidden: 896, intermediate: 4864, heads: 14, keyValueHeads: 2, headDimension: 64,
        vocabulary: 151_936)
    /// Llama-3.2-1B.
    package static let one = ModelShape(
        name: "1B", hidden: 2048, intermediate: 8192, heads: 32, keyValueHeads: 8, headDimension: 64,
        vocabulary: 128_256)

    var queryKeyValue: Int { (heads + 2 * keyValueHeads) * headDimension }

    /// Outputs and inputs of each matrix of the model.
    var matrices: [(name: String, outputs: Int, inputs: Int)] {
        [
            ("qkv", queryKeyValue, hidden), ("attention output", hidden, heads * headDimension),
            ("gate, up", 2 * intermediate, hidden), ("down", hidden, intermediate), ("head", vocabulary, hidden),
        ]
    }
}
