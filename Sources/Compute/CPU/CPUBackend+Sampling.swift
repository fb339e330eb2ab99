import CKernels

extension CPUBackend {
    package func sample(_ logits: Tensor, _ rows: [SamplingRow]) -> [SampledToken] {
        let x = logits.cpu
        for row in rows { precondition(row.row >= 0 && row.row < x.rows) }
        let bytes = LogitsSampler.scratchBytes(vocabulary: x.columns)
        let scratch = samplingScratch.pointer(bytes * pool.threads)
        let kernels = self.kernels.sample.pointee
        return [SampledToken](unsafeUninitializedCapacity: rows.count) { tokens, count in
            // Safe to share: each index initializes its own element, each worker has its own scratch.
            nonisolated(unsafe) let start = tokens.baseAddress
            pool.forEach(rows.count) { index, worker in
                var sampler = LogitsSampler(
                    kernels: kernels, vocabulary: x.columns, scratch: scratch + worker * bytes)
                let row = rows[index]
                let token = sampler.sample(row, from: x.data + row.row * x.columns)
                if let start { (start + index).initialize(to: token) }
            }
            count = rows.count
        }
    }
}

/// Draws from one row of logits as `SamplingRow` says, without sorting the vocabulary.
///
/// Everything that top-k, top-p and min-p keep is a prefix of the descending order (logit, then lowest id), and so is
/// what lies before the drawn token. So all a draw needs is to find places in that order by count or by mass:
/// `DescendingSearch`.
struct LogitsSampler {
    private let kernels: ck_sample_table
    private let count: Int
    /// Where each element of `x` comes from, if only some were gathered.
    private let origins: UnsafeMutablePointer<Int32>
    /// The row, cleaned and then adjusted.
    private let x: UnsafeMutablePointer<Float>
    private let weights: UnsafeMutablePointer<Float>
    private var subset: DescendingSearch.Subset

    /// Kernels write whole vectors.
    private static func padded(_ vocabulary: Int) -> Int { (vocabulary + 32) / 16 * 16 }

    static func scratchBytes(vocabulary: Int) -> Int {
        let floats = 6 * padded(vocabulary) * MemoryLayout<Float>.stride
        return (floats + DescendingSearch.Subset.entryBytes + 127) / 128 * 128
    }

    init(kernels: ck_sample_table, vocabulary: Int, scratch: UnsafeMutableRawPointer) {
        self.kernels = kernels
        count = vocabulary
        let stride = Self.padded(vocabulary)
        let floats = scratch.assumingMemoryBound(to: Float.self)
        x = floats
        weights = floats + stride
        let ids = scratch + 5 * stride * MemoryLayout<Float>.stride
        origins = (scratch + 4 * stride * MemoryLayout<Float>.stride).assumingMemoryBound(to: Int32.self)
        subset = DescendingSearch.Subset(
            x: floats + 2 * stride, weights: floats + 3 * stride, ids: ids.assumingMemoryBound(to: Int32.self),
            entries: (ids + stride * MemoryLayout<Int32>.stride)
                .assumingMemoryBound(to: DescendingSearch.Entry.self))
    }

    mutating func sample(_ row: SamplingRow, from logits: UnsafePointer<Float>) -> SampledToken {
        let n = Int32(count)
        let adjusted = !row.biases.isEmpty || !row.repeated.isEmpty || !row.counts.isEmpty
        if row.topLogprobs == nil && row.temperature <= 0 && !adjusted {
            if row.allowed.isEmpty { return SampledToken(id: kernels.argmax(logits, n)) }
            // A mask mostly leaves few tokens: looking at those alone is less work than at all of them.
            let few = gather(row.allowed, from: logits)
            return SampledToken(id: few == 0 ? 0 : origins[Int(kernels.argmax(x, Int32(few)))])
        }
        kernels.clean(logits, n, x)
        let raw = row.topLogprobs.map { logprobs(top: $0) }
        if adjusted { adjust(row) }
        let id: Int32
        if row.allowed.isEmpty {
            id = row.temperature <= 0 ? kernels.argmax(x, n) : draw(row, count: count)
        } else {
            let few = gather(row.allowed, from: x)
            let place = few == 0 ? 0 : row.temperature <= 0 ? kernels.argmax(x, Int32(few)) : draw(row, count: few)
            id = few == 0 ? 0 : origins[Int(place)]
        }
        guard let raw else { return SampledToken(id: id) }
        return SampledToken(
            id: id, logprob: raw.logprob(Self.clean(logits[Int(id)])), top: raw.top,
            scores: row.scoredIDs.map { id in
                precondition(id >= 0 && id < n, "no token of the vocabulary")
                return raw.logprob(Self.clean(logits[Int(id)]))
            })
    }

    // MARK: Log-probabilities of the raw logits

    private struct Logprobs {
        var maximum: Float
        var logSum: Double
        var top: [(id: Int32, logprob: Float)] = []

        func logprob(_ value: Float) -> Float {
            maximum == -.infinity ? -.infinity : Float(Double(value) - Double(maximum) - logSum)
        }
    }

    private func logprobs(top: Int) -> Logprobs {
        let n = Int32(count)
        let maximum = kernels.maximum(x, n)
        var result = Logprobs(maximum: maximum, logSum: 0)
        if maximum > -.infinity { result.logSum = logarithm(kernels.exponentials(x, n, maximum, 1, nil)) }
        if top > 0 {
            let found = kernels.top(x, n, Int32(clamping: min(top, count)), subset.x, subset.ids)
            for i in 0..<Int(found) { result.top.append((subset.ids[i], result.logprob(subset.x[i]))) }
        }
        return result
    }

    // MARK: Step 0

    /// Moves the allowed elements of `source`, which may be `x` itself, to the front of `x`, in their order: what is
    /// left out cannot be drawn, and nothing else changes.
    /// - Returns: how many there are.
    /// - Complexity: O(words of the mask + allowed tokens).
    private func gather(_ allowed: [UInt64], from source: UnsafePointer<Float>) -> Int {
        var found = 0
        for (index, word) in allowed.enumerated() where word != 0 {
            let base = index * 64
            if base >= count { break }
            if word == .max, base + 64 <= count {
                (x + found).update(from: source + base, count: 64)
                for offset in 0..<64 { origins[found + offset] = Int32(truncatingIfNeeded: base + offset) }
                found += 64
                continue
            }
            var rest = base + 64 <= count ? word : word & (1 << UInt64(count - base) - 1)
            while rest != 0 {
                let id = base + rest.trailingZeroBitCount
                x[found] = source[id]
                origins[found] = Int32(truncatingIfNeeded: id)
                found += 1
                rest &= rest - 1
            }
        }
        return found
    }

    // MARK: Steps 1 to 3

    /// As the `clean` kernel does it.
    private static func clean(_ value: Float) -> Float {
        value.isNaN ? -.infinity : min(value, .greatestFiniteMagnitude)
    }

    private func adjust(_ row: SamplingRow) {
        func change(_ id: Int32, _ change: (Float) -> Float) {
            guard id >= 0, id < count else { return }
            x[Int(id)] = Self.clean(change(x[Int(id)]))
        }
        for (id, value) in row.biases { change(id) { $0 + value } }
        for id in row.repeated {
            change(id) { $0 > 0 ? $0 / row.repetitionPenalty : $0 * row.repetitionPenalty }
        }
        for (id, count) in row.counts {
            change(id) { $0 - (row.frequencyPenalty * Float(count) + row.presencePenalty) }
        }
    }

    // MARK: Step 4

    /// Up to this `topK` a partial selection is cheaper than exponentials of the whole vocabulary.
    private static let smallTopK = 64

    /// - Parameter count: elements of `x` that can be drawn.
    private mutating func draw(_ row: SamplingRow, count: Int) -> Int32 {
        let n = Int32(count)
        let maximum = kernels.maximum(x, n)
        // Nothing allowed: as argmax.
        if maximum == -.infinity { return 0 }
        let factor = min(1 / row.temperature, .greatestFiniteMagnitude)
        if row.topK > 0 && row.topK <= Self.smallTopK {
            return drawFromFew(row, count: count, maximum: maximum, factor: factor)
        }
        var mass = kernels.exponentials(x, n, maximum, factor, weights)
        var kept = count
        let search = DescendingSearch(
            kernels: kernels, x: x, weights: weights, count: count, maximum: maximum, temperature: row.temperature,
            subset: subset)
        if row.topK > 0 && row.topK < count, let place = search.find(.count(row.topK)) {
            (kept, mass) = (place.count, place.mass)
        }
        if row.topP < 1, let place = search.find(.reach(Double(row.topP) * mass)), place.count < kept {
            (kept, mass) = (place.count, place.mass)
        }
        if row.minP > 0 {
            // The largest weight is 1, so a weight is the ratio that min-p is about.
            let (above, sum) = search.aboveWeight(min(row.minP, 1))
            if above < kept { (kept, mass) = (above, sum) }
        }
        return search.find(.exceed(Double(row.uniform) * mass))?.id ?? kernels.argmax(x, n)
    }

    private func drawFromFew(_ row: SamplingRow, count: Int, maximum: Float, factor: Float) -> Int32 {
        var kept = Int(kernels.top(x, Int32(count), Int32(min(row.topK, count)), subset.x, subset.ids))
        var mass = kernels.exponentials(subset.x, Int32(kept), maximum, factor, weights)
        /// How many come first until their sum satisfies the condition, and that sum.
        func prefix(_ enough: (Double) -> Bool) -> (Int, Double) {
            var sum = 0.0
            for i in 0..<kept {
                sum += Double(weights[i])
                if enough(sum) { return (i + 1, sum) }
            }
            return (kept, sum)
        }
        if row.topP < 1 {
            let target = Double(row.topP) * mass
            (kept, mass) = prefix { $0 >= target }
        }
        if row.minP > 0 {
            while kept > 1 && weights[kept - 1] < row.minP { kept -= 1 }
            (kept, mass) = prefix { _ in false }
        }
        let target = Double(row.uniform) * mass
        return subset.ids[prefix { $0 > target }.0 - 1]
    }
}
