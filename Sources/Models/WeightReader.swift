import Checkpoint
import Compute
import Tensors

/// Takes tensors from a checkpoint and gives them to the backend, in the type asked for.
struct WeightReader {
    private let source: any WeightSource
    private let backend: any Backend
    /// Nil: as stored.
    private let dtype: DType?
    /// Of the layers' matrices.
    private let format: WeightFormat
    private let progress: (LoadProgress) -> Void
    private(set) var loaded: LoadProgress
    /// Type of the layers' fused matrices, once there are any; until then, of the first matrix.
    private(set) var matrixDType: DType?

    static let supported: [DType] = [.float32, .float16, .bfloat16]

    init(
        _ source: any WeightSource, names: WeightNames, backend: any Backend, dtype: DType?,
        format: WeightFormat, progress: @escaping (LoadProgress) -> Void
    ) {
        self.init(
            source, parts: names.parts, isRedundant: names.isRedundant, backend: backend, dtype: dtype, format: format,
            progress: progress)
    }

    init(
        _ source: any WeightSource, parts: [WeightNames.Part], isRedundant: (String) -> Bool, backend: any Backend,
        dtype: DType?, format: WeightFormat, progress: @escaping (LoadProgress) -> Void
    ) {
        self.source = source
        self.backend = backend
        self.dtype = dtype
        self.format = format
        self.progress = progress
        let used = Set(parts.map(\.name))
        loaded = LoadProgress(
            loadedBytes: 0, totalBytes: parts.reduce(0) { $0 + (source.information($1.name)?.bytes.count ?? 0) },
            unusedTensors: source.names.filter { !used.contains($0) && !isRedundant($0) })
        progress(loaded)
    }

    mutating func linear(_ projection: WeightNames.Projection) throws -> Linear {
        let weight = try matrix(projection.weights, as: format)
        return Linear(weight: weight, bias: projection.biases.isEmpty ? nil : try vector(projection.biases))
    }

    /// A choice of experts, which a small error may turn: widened to float32, so that inputs are not rounded either.
    mutating func router(_ projection: WeightNames.Projection) throws -> Linear {
        let views = try projection.weights.map { try source.tensor($0.name).converted(to: .float32) }
        let weight = try backend.packWeight(views, as: .stored)
        done(projection.weights)
        return Linear(weight: weight, bias: projection.biases.isEmpty ? nil : try vector(projection.biases))
    }

    /// A matrix with a row for each token of the vocabulary.
    mutating func table(_ part: WeightNames.Part) throws -> PackedWeight {
        try matrix([part], as: format == .stored ? .stored : .int8)
    }

    /// Fuses matrices that are stored in different types as float32, which holds them all.
    private mutating func matrix(_ parts: [WeightNames.Part], as format: WeightFormat) throws -> PackedWeight {
        let views = try parts.map { try source.tensor($0.name) }
        let stored = Set(views.map(\.dtype))
        let target = dtype ?? (stored.count == 1 ? views[0].dtype : .float32)
        let weight = try backend.packWeight(views.map { try $0.converted(to: target) }, as: format)
        if matrixDType == nil || parts.count > 1 { matrixDType = target }
        done(parts)
        return weight
    }

    mutating func norm(_ part: WeightNames.Part, _ spec: DecoderSpec) throws -> Norm {
        Norm(weight: try vector([part], offset: spec.normOffset), epsilon: spec.normEpsilon)
    }

    /// - Parameter offset: added to each number.
    mutating func vector(_ parts: [WeightNames.Part], offset: Float = 0) throws -> Vector {
        let views = try parts.map { try source.tensor($0.name) }
        let vector = try backend.makeVector(offset == 0 ? views : views.map { $0.adding(offset) })
        done(parts)
        return vector
    }

    private mutating func done(_ parts: [WeightNames.Part]) {
        for part in parts {
            source.release(part.name)
            loaded.loadedBytes += source.information(part.name)?.bytes.count ?? 0
        }
        progress(loaded)
    }
}

extension TensorView {
    /// The same numbers plus another, as float32.
    func adding(_ offset: Float) -> TensorView {
        guard let values = floats() else { return self }
        let (view, _) = TensorView.filled(name: name, dtype: .float32, shape: shape, piece: values.count) {
            range, buffer in
            for (place, index) in range.enumerated() { buffer[place] = values[index] + offset }
        }
        return view
    }

    /// The same numbers in another floating type, rounded to nearest even, in memory of their own; itself if it has
    /// that type already.
    ///
    /// - Throws: `doesNotFit` for a finite number that becomes infinite.
    func converted(to target: DType) throws(ModelError) -> TensorView {
        guard dtype != target, let values = floats() else { return self }
        let (view, overflow) = TensorView.filled(
            name: name, dtype: target, shape: shape, piece: values.count
        ) { range, buffer in
            for (place, index) in range.enumerated() { buffer[place] = values[index] }
        }
        if let overflow { throw .doesNotFit(tensor: name, value: overflow, dtype: target) }
        return view
    }
}
