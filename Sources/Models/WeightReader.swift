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
        let weight = try cached(projection.weights, .stored, .float32) { source, backend in
            try backend.packWeight(
                projection.weights.map { try source.tensor($0.name).converted(to: .float32) }, as: .stored)
        }
        return Linear(weight: weight, bias: projection.biases.isEmpty ? nil : try vector(projection.biases))
    }

    /// A matrix with a row for each token of the vocabulary.
    mutating func table(_ part: WeightNames.Part) throws -> PackedWeight {
        try matrix([part], as: format.ofTables)
    }

    /// Of the layers, without a bias.
    mutating func matrix(_ parts: [WeightNames.Part]) throws -> PackedWeight { try matrix(parts, as: format) }

    /// What latent attention multiplies queries and means by, head by head: of `[heads·(plain + value), latent]` the
    /// rows of keys, turned over, and the rows of values.
    mutating func absorbed(
        _ part: WeightNames.Part, heads: Int, _ sizes: LatentSpec
    ) throws -> (keys: [PackedWeight], values: [PackedWeight]) {
        let view = try source.tensor(part.name).converted(to: dtype ?? matrixDType ?? .float32)
        let head = sizes.plain + sizes.value
        let keys = try (0..<heads).map {
            try backend.packWeight([view.rows($0 * head..<$0 * head + sizes.plain).turnedOver()])
        }
        let values = try (0..<heads).map {
            try backend.packWeight([view.rows($0 * head + sizes.plain..<($0 + 1) * head)])
        }
        loaded.packedBytes += (keys + values).reduce(0) { $0 + $1.byteCount }
        done([part])
        return (keys, values)
    }

    /// Fuses matrices that are stored in different types as float32, which holds them all. Quantized matrices stay as
    /// they are written down where the backend can multiply with them.
    private mutating func matrix(_ parts: [WeightNames.Part], as format: WeightFormat) throws -> PackedWeight {
        let stored = Set(parts.compactMap { source.information($0.name)?.dtype })
        let target = dtype ?? (stored.count == 1 ? stored.first : nil) ?? .float32
        if matrixDType == nil || parts.count > 1 { matrixDType = target }
        return try cached(parts, format, target) { source, backend in
            if format == .stored {
                let codes = try parts.compactMap { try source.coded($0.name) }
                if codes.count == parts.count,
                    let weight = try backend.packCoded(codes, widenedTo: target, name: parts[0].name)
                {
                    return weight
                }
            }
            return try backend.packWeight(
                parts.map { try source.tensor($0.name).converted(to: target) }, as: format)
        }
    }

    /// What the backend has packed at an earlier start, or packs now.
    private mutating func cached(
        _ parts: [WeightNames.Part], _ format: WeightFormat, _ dtype: DType,
        _ pack: (any WeightSource, any Backend) throws -> PackedWeight
    ) throws -> PackedWeight {
        let name = "\(parts.map(\.name).joined(separator: " ")) \(dtype.rawValue) \(format.rawValue)"
        let weight: PackedWeight
        if let found = backend.cachedWeight(name) {
            weight = found
        } else {
            weight = try pack(source, backend)
            backend.cache(weight, as: name)
        }
        loaded.packedBytes += weight.byteCount
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
        loaded.packedBytes += vector.count * DType.float32.byteCount
        done(parts)
        return vector
    }

    /// Says that these parts are in the backend's memory, or not needed any more.
    mutating func done(_ parts: [WeightNames.Part]) {
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
