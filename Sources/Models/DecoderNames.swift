import Checkpoint
import Tensors

/// A checkpoint whose decoder's tensors are not called `model.…` and `lm_head.…`, seen as one where they are: embedding
/// models are saved without their head, and models for more than text have the decoder beside other towers.
final class DecoderNames: WeightSource {
    private let base: any WeightSource
    private let form: Form

    /// What stands before the names of the decoder and of its output projection.
    private struct Form {
        var decoder: String
        var head: String
    }

    private static let usual = Form(decoder: "model.", head: "lm_head.")
    private static let others = [
        Form(decoder: "", head: "lm_head."), Form(decoder: "model.language_model.", head: "lm_head."),
        Form(decoder: "language_model.model.", head: "language_model.lm_head."),
    ]

    /// `source` itself, unless its names have one of the other forms.
    static func wrapping(_ source: any WeightSource) -> any WeightSource {
        func fits(_ form: Form) -> Bool { source.information(form.decoder + "embed_tokens.weight") != nil }
        guard !fits(usual), let form = others.first(where: fits) else { return source }
        return DecoderNames(source, form)
    }

    private init(_ base: any WeightSource, _ form: Form) {
        self.base = base
        self.form = form
    }

    var description: String { base.description }
    var names: [String] {
        base.names.map { name in
            for (own, usual) in [(form.head, Self.usual.head), (form.decoder, Self.usual.decoder)]
            where name.hasPrefix(own) && !name.hasPrefix(usual) {
                return usual + name.dropFirst(own.count)
            }
            return name
        }.sorted()
    }

    private func own(_ name: String) -> String {
        for (own, usual) in [(form.head, Self.usual.head), (form.decoder, Self.usual.decoder)]
        where name.hasPrefix(usual) {
            let renamed = own + name.dropFirst(usual.count)
            if base.information(renamed) != nil { return renamed }
        }
        return name
    }

    func information(_ name: String) -> TensorInformation? { base.information(own(name)) }
    func tensor(_ name: String) throws(CheckpointError) -> TensorView { try base.tensor(own(name)) }
    func coded(_ name: String) throws(CheckpointError) -> (any CodedMatrix)? { try base.coded(own(name)) }
    func release(_ name: String) { base.release(own(name)) }
}
