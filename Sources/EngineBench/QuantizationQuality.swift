package import Checkpoint
package import Compute
import Glibc
import Models
package import Tensors

/// How far a quantized model is from the one it was made of: the divergence of the distributions of the next token, and
/// how often the most likely token is the same.
///
/// The texts are the reference's own, sampled at temperature 1 with a seed: what the model would really be asked to
/// continue, without a data set.
package struct QuantizationQuality {
    package struct Row: Sendable {
        package var name: String
        /// Mean of KL(reference ‖ quantized) over all positions, in nats.
        package var divergence: Double
        /// Share of positions with the same most likely token.
        package var agreement: Double
        package var positions: Int
    }

    /// What is compared with the reference.
    package struct Scheme: Sendable {
        package var name: String
        /// Of the weights; nil: as the reference.
        package var dtype: DType?
        package var format: WeightFormat
        /// Of keys and values; nil: as the weights.
        package var keyValueDType: DType?

        package init(
            _ name: String, dtype: DType? = nil, format: WeightFormat = .stored, keyValueDType: DType? = nil
        ) {
            self.name = name
            self.dtype = dtype
            self.format = format
            self.keyValueDType = keyValueDType
        }
    }

    package var sequences = 16
    package var length = 128
    package var seed: UInt64 = 1
    private static let pageSize = 16

    package init() {}

    /// - Parameters:
    ///   - dtype: of the reference.
    ///   - schemes: to be compared with it.
    /// - Throws: what is wrong with the model.
    package func measure(
        _ files: ModelFiles, dtype: DType?, schemes: [Scheme], backend: any Backend
    ) throws -> [Row] {
        let reference = try Run(
            files, Scheme("reference", dtype: dtype), rows: length, sequences: sequences, length, backend)
        let first = try GenerationDefaults.read(files).beginOfSequenceID ?? 0
        let texts = reference.sample(first: first, seed: seed)
        let wanted = texts.map(reference.logits)
        var rows: [Row] = []
        for var scheme in schemes {
            scheme.dtype = scheme.dtype ?? dtype
            let run = try Run(files, scheme, rows: length, sequences: 1, length, backend)
            var divergence = 0.0
            var same = 0
            var positions = 0
            for (text, truth) in zip(texts, wanted) {
                for (a, b) in zip(truth, run.logits(text)) {
                    divergence += Self.divergence(a, b)
                    if Self.best(a) == Self.best(b) { same += 1 }
                    positions += 1
                }
            }
            rows.append(
                Row(
                    name: scheme.name, divergence: divergence / Double(positions),
                    agreement: Double(same) / Double(positions), positions: positions))
        }
        return rows
    }

    package static func divergence(_ a: [Float], _ b: [Float]) -> Double {
        let (p, q) = (logarithms(a), logarithms(b))
        return max(0, zip(p, q).reduce(0) { $0 + exp($1.0) * ($1.0 - $1.1) })
    }

    private static func logarithms(_ logits: [Float]) -> [Double] {
        let largest = Double(logits.max() ?? 0)
        let sum = log(logits.reduce(0.0) { $0 + exp(Double($1) - largest) })
        return logits.map { Double($0) - largest - sum }
    }

    private static func best(_ logits: [Float]) -> Int? { logits.indices.max { logits[$0] < logits[$1] } }

    /// A model with pages for some sequences.
    private final class Run {
        let model: any Model
        let cache: KVCache
        let backend: any Backend
        let sequences: Int
        let length: Int
        private let pages: Int

        init(
            _ files: ModelFiles, _ scheme: Scheme, rows: Int, sequences: Int, _ length: Int, _ backend: any Backend
        ) throws {
            let limits = ModelLimits(maximumRows: max(rows, sequences), maximumSampledRows: max(rows, sequences))
            model = try ModelLoader.load(
                files, backend: backend, limits: limits, dtype: scheme.dtype, format: scheme.format)
            pages = (length + QuantizationQuality.pageSize - 1) / QuantizationQuality.pageSize
            var layout = model.kvLayout(pageSize: QuantizationQuality.pageSize)
            layout.dtype = scheme.keyValueDType ?? layout.dtype
            cache = try backend.makeKVCache(layout, pages: pages * sequences)
            self.backend = backend
            self.sequences = sequences
            self.length = length
        }

        private func feed(_ entries: [(tokens: [Int32], start: Int, sequence: Int)]) -> [[Float]] {
            var context = ForwardContext()
            for entry in entries {
                context.sequences.append(
                    SequenceSpan(
                        firstRow: context.rowCount, rowCount: entry.tokens.count, startPosition: entry.start,
                        firstPage: context.pageTable.count, pageCount: pages))
                context.pageTable += (0..<pages).map { Int32(entry.sequence * pages + $0) }
                for (offset, token) in entry.tokens.enumerated() {
                    context.sampledRows.append(Int32(context.rowCount))
                    context.tokens.append(token)
                    context.positions.append(Int32(entry.start + offset))
                }
            }
            backend.beginStep()
            defer { backend.endStep() }
            let logits = model.forward(context, cache: cache)
            return context.sampledRows.indices.map { backend.read(logits, row: $0) }
        }

        /// At every position of a text.
        func logits(_ text: [Int32]) -> [[Float]] { feed([(text, 0, 0)]) }

        /// Texts that the model makes up from its first token, one step for all of them at a time.
        func sample(first: Int32, seed: UInt64) -> [[Int32]] {
            var state = seed
            var texts = [[Int32]](repeating: [first], count: sequences)
            while texts[0].count < length {
                let logits = feed(texts.indices.map { ([texts[$0][texts[$0].count - 1]], texts[$0].count - 1, $0) })
                for index in texts.indices {
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    var rest = Double(state >> 11) * 0x1p-53
                    let weights = QuantizationQuality.logarithms(logits[index]).map { exp($0) }
                    var chosen = weights.count - 1
                    for (id, weight) in weights.enumerated() {
                        rest -= weight
                        if rest < 0 {
                            chosen = id
                            break
                        }
                    }
                    texts[index].append(Int32(chosen))
                }
            }
            return texts
        }
    }
}
