package import Tensors

/// One safetensors file, mapped and checked.
package final class SafetensorsFile: WeightSource {
    package let description: String
    package let names: [String]
    private let file: MappedFile
    private let tensors: [String: TensorInformation]

    /// - Throws: `malformedHeader`, `malformedJSON` or `malformedTensor`.
    package init(_ file: MappedFile) throws(CheckpointError) {
        let header = try SafetensorsHeader(file)
        self.file = file
        description = file.path
        var tensors: [String: TensorInformation] = [:]
        for tensor in header.tensors { tensors[tensor.name] = tensor }
        self.tensors = tensors
        names = tensors.keys.sorted()
    }

    package func information(_ name: String) -> TensorInformation? { tensors[name] }

    package func tensor(_ name: String) throws(CheckpointError) -> TensorView {
        guard let tensor = tensors[name], let bytes = file.bytes(tensor.bytes) else {
            throw .missingTensor(name: name, source: description)
        }
        guard let dtype = tensor.dtype else {
            throw .unsupportedTensorType(
                file: description, tensor: name, type: tensor.typeName, supported: ["F32", "F16", "BF16"])
        }
        return TensorView(name: name, dtype: dtype, shape: tensor.shape, bytes: bytes, owner: file)
    }

    package func release(_ name: String) {
        if let tensor = tensors[name] { file.release(tensor.bytes) }
    }
}
