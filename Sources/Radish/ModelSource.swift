import CEmbedded
package import Checkpoint

/// Where a model comes from.
public enum ModelSource: Sendable, Hashable {
    /// The small chat model inside the binary.
    case demo
    /// A Hugging Face model directory, or a GGUF file.
    case directory(String)

    /// For logs and `/v1/models`.
    public var name: String {
        switch self {
        case .demo: "radish-demo"
        case .directory(let path): path
        }
    }

    /// - Throws: `CheckpointError` if the directory cannot be read.
    package func files() throws -> ModelFiles {
        switch self {
        case .directory(let path): try ModelFiles.at(path)
        case .demo: ModelFiles.embedded(Self.demoFiles(), description: "embedded demo model")
        }
    }

    private static func demoFiles() -> [(name: String, bytes: UnsafeRawBufferPointer)] {
        // Constant data of the binary: the pointers stay valid as long as the process lives.
        (0..<cembedded_demo_model_count()).map { index in
            let file = cembedded_demo_model_file(index)
            return (String(cString: file.name), UnsafeRawBufferPointer(start: file.bytes, count: file.count))
        }
    }
}
