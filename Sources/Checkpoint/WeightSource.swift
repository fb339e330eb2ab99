package import Tensors

/// Named tensors, wherever they come from: the door through which `Models` loads weights.
package protocol WeightSource: AnyObject {
    /// For messages: a file or directory.
    var description: String { get }
    /// Sorted.
    var names: [String] { get }
    /// What is known of a tensor without touching its bytes; nil if there is none.
    func information(_ name: String) -> TensorInformation?
    /// A borrowed view, valid while it (or a copy of it) lives.
    /// - Throws: `missingTensor`, or `unsupportedTensorType` for a type that no operation reads.
    func tensor(_ name: String) throws(CheckpointError) -> TensorView
    /// A quantized matrix as it is written down; nil for tensors that are not quantized.
    /// - Throws: as `tensor`.
    func coded(_ name: String) throws(CheckpointError) -> (any CodedMatrix)?
    /// Says that the tensor's bytes are not needed any more, so that they need not stay in memory beside their packed
    /// form.
    func release(_ name: String)
}

extension WeightSource {
    package func coded(_ name: String) throws(CheckpointError) -> (any CodedMatrix)? { nil }
}

/// A tensor as its file announces it; the file's bounds have been checked.
package struct TensorInformation: Sendable, Equatable {
    package var name: String
    /// As the file writes it, for example `BF16`.
    package var typeName: String
    /// Nil for a type that the format knows but no operation reads.
    package var dtype: DType?
    package var shape: [Int]
    package var file: String
    /// In the file.
    package var bytes: Range<Int>
}
