import Compute
import Testing

/// The backends every model test runs on: the oracle, and the processor's by each kernel path that runs here.
enum TestBackend: Sendable, CustomTestStringConvertible {
    case reference
    case cpu(String)

    static let processors = CPUBackend.availableKernelPaths().map { TestBackend.cpu($0) }
    static let all = [TestBackend.reference] + processors

    func make(threads: Int = 2) throws -> any Backend {
        switch self {
        case .reference: ReferenceBackend()
        case .cpu(let path): try CPUBackend(kernels: path, threads: threads, pin: false)
        }
    }

    var testDescription: String {
        switch self {
        case .reference: "reference"
        case .cpu(let path): path
        }
    }
}
