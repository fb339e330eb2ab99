import Checkpoint
import Tensors

/// A checkpoint of a decoder that was saved without its head, as embedding models are: its tensors lack the `model.` that
/// stands before the names otherwise.
final class BareNames: WeightSource {
    private let base: any WeightSource
    private static let prefix = "model."

    /// `source` itself, unless it is of that kind.
    static func wrapping(_ source: any WeightSource) -> any WeightSource {
        let isBare =
            source.information("embed_tokens.weight") != nil && source.information("model.embed_tokens.weight") == nil
        return isBare ? BareNames(source) : source
    }

    private init(_ base: any WeightSource) { self.base = base }

    var description: String { base.description }
    var names: [String] {
        base.names.map { base.information(Self.prefix + $0) == nil ? Self.prefix + $0 : $0 }.sorted()
    }

    private func own(_ name: String) -> String {
        guard name.hasPrefix(Self.prefix), base.information(name) == nil else { return name }
        return String(name.dropFirst(Self.prefix.count))
    }

    func information(_ name: String) -> TensorInformation? { base.information(own(name)) }
    func tensor(_ name: String) throws(CheckpointError) -> TensorView { try base.tensor(own(name)) }
    func coded(_ name: String) throws(CheckpointError) -> (any CodedMatrix)? { try base.coded(own(name)) }
    func release(_ name: String) { base.release(own(name)) }
}
