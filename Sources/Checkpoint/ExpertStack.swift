import Tensors

/// How a checkpoint stores the matrices of all experts of a layer as one tensor, and what those of one expert are called
/// otherwise.
package struct ExpertStack: Sendable, Equatable {
    package struct Layout: Sendable, Equatable {
        /// Below the layer, without `.weight` and the like: gate and up of all experts, and down.
        package var gateUp = "mlp.experts.gate_up_proj"
        package var down = "mlp.experts.down_proj"
        /// `[experts, inputs, outputs]` instead of `[experts, outputs, inputs]`; blocks of MXFP4 never are.
        package var isTurned = false
        /// Outputs of gate and up alternate; else those of gate come first.
        package var alternates = false

        package init() {}
    }

    package var layout: Layout
    /// Of one expert, below the layer: `mlp.experts`, and below its number the matrices.
    package var module: String
    package var gate: String
    package var up: String
    package var down: String

    package init(_ layout: Layout, module: String, gate: String, up: String, down: String) {
        self.layout = layout
        self.module = module
        self.gate = gate
        self.up = up
        self.down = down
    }
}

/// A checkpoint whose experts are stacked, seen as one with tensors for each: `mlp.experts.gate_up_proj` of a layer with
/// 32 experts appears as `mlp.experts.0.gate_proj.weight` and so on, as most checkpoints have them. Blocks and scales of
/// MXFP4 (gpt-oss) appear as `.weight` and `.weight_scale`.
final class StackedExperts: WeightSource {
    private let base: any WeightSource
    private let slices: [String: Slice]
    let names: [String]
    var description: String { base.description }

    /// Part of a stacked tensor.
    private struct Slice {
        let stack: String
        let expert: Int
        /// Of the outputs: first, and every so manieth, so many.
        let first: Int
        let step: Int
        let count: Int
        let isTurned: Bool
        let information: TensorInformation
    }

    /// Ends of the stacked tensors' names, and of those they appear as.
    private static let suffixes: [(from: String, to: String)] = [
        ("", ".weight"), (".weight", ".weight"), ("_bias", ".bias"), (".bias", ".bias"),
        ("_blocks", ".weight"), ("_scales", ".weight_scale"),
    ]

    /// `source` itself, if no tensor of it is stacked in that way.
    ///
    /// - Throws: `malformedTensor` for a stacked tensor of an impossible shape.
    static func wrapping(
        _ source: any WeightSource, _ stack: ExpertStack?
    ) throws(CheckpointError) -> any WeightSource {
        guard let stack else { return source }
        let experts = try StackedExperts(source, stack)
        return experts.slices.isEmpty ? source : experts
    }

    private init(_ base: any WeightSource, _ stack: ExpertStack) throws(CheckpointError) {
        self.base = base
        var slices: [String: Slice] = [:]
        var stacked = Set<String>()
        for name in base.names {
            for (module, isGateUp) in [(stack.layout.gateUp, true), (stack.layout.down, false)] {
                for suffix in Self.suffixes where name.hasSuffix("." + module + suffix.from) {
                    guard let information = base.information(name) else { continue }
                    let prefix = name.dropLast(module.count + suffix.from.count)
                    let new = try Self.slices(
                        information, stack, prefix: String(prefix), isGateUp: isGateUp, suffix: suffix.to,
                        isBlocks: suffix.from == "_blocks")
                    slices.merge(new) { $1 }
                    stacked.insert(name)
                }
            }
        }
        self.slices = slices
        names = (base.names.filter { !stacked.contains($0) } + slices.keys).sorted()
    }

    /// The parts of one stacked tensor, by their names.
    private static func slices(
        _ tensor: TensorInformation, _ stack: ExpertStack, prefix: String, isGateUp: Bool, suffix: String,
        isBlocks: Bool
    ) throws(CheckpointError) -> [String: Slice] {
        var shape = tensor.shape
        // Sixteen bytes for 32 numbers.
        if isBlocks, shape.count == 4 { shape = [shape[0], shape[1], shape[2] * shape[3]] }
        let isMatrix = suffix != ".bias"
        guard shape.count == (isMatrix ? 3 : 2), !shape.contains(0) else {
            throw .malformedTensor(
                file: tensor.file, tensor: tensor.name, bytes: tensor.bytes,
                expected: isMatrix ? "a matrix for each expert" : "a vector for each expert",
                found: "\(tensor.typeName) \(tensor.shape)")
        }
        let isTurned = stack.layout.isTurned && isMatrix && !isBlocks && suffix == ".weight"
        let outputs = shape[isTurned ? 2 : 1]
        let inputs = isMatrix ? shape[isTurned ? 1 : 2] : nil
        guard !isGateUp || outputs % 2 == 0 else {
            throw .malformedTensor(
                file: tensor.file, tensor: tensor.name, bytes: tensor.bytes,
                expected: "as many outputs of gate as of up", found: "\(tensor.shape)")
        }
        var places = [(name: stack.down, first: 0, step: 1, count: outputs)]
        if isGateUp {
            let half = outputs / 2
            let step = stack.layout.alternates ? 2 : 1
            places = [
                (stack.gate, 0, step, half), (stack.up, stack.layout.alternates ? 1 : half, step, half),
            ]
        }
        var result: [String: Slice] = [:]
        let share = tensor.bytes.count / (shape[0] * places.count)
        for expert in 0..<shape[0] {
            for (index, place) in places.enumerated() {
                let start = tensor.bytes.lowerBound + (expert * places.count + index) * share
                let name = "\(prefix)\(stack.module).\(expert).\(place.name)\(suffix)"
                var information = tensor
                information.name = name
                information.shape = [place.count] + [inputs].compactMap { $0 }
                information.bytes = start..<start + share
                result[name] = Slice(
                    stack: tensor.name, expert: expert, first: place.first, step: place.step, count: place.count,
                    isTurned: isTurned, information: information)
            }
        }
        return result
    }

    func information(_ name: String) -> TensorInformation? { slices[name]?.information ?? base.information(name) }

    func tensor(_ name: String) throws(CheckpointError) -> TensorView {
        guard let slice = slices[name] else { return try base.tensor(name) }
        let stack = try base.tensor(slice.stack)
        let expert = stack.rows(slice.expert..<slice.expert + 1)
        var outputs = expert.shaped(
            name: name, slice.isTurned ? Array(expert.shape[1...]) : [expert.shape[1]] + slice.information.shape[1...])
        if slice.isTurned { outputs = outputs.turnedOver() }
        return slice.step == 1
            ? outputs.rows(slice.first..<slice.first + slice.count)
            : outputs.rows(from: slice.first, every: slice.step, count: slice.count)
    }

    /// A mapped stack is let go of in the shares of its experts.
    func release(_ name: String) {
        guard let slice = slices[name] else { return base.release(name) }
        base.release(slice.stack)
    }
}
