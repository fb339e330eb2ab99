import Glibc

extension ReferenceBackend {
    package func sample(_ logits: Tensor, _ rows: [SamplingRow]) -> [SampledToken] {
        rows.map { Self.sample(Array(logits.reference[$0.row]), $0) }
    }

    private static func sample(_ raw: [Float], _ row: SamplingRow) -> SampledToken {
        let raw = raw.map(clean)
        let id = choose(allowed(adjusted(raw, row), row), row)
        guard let top = row.topLogprobs else { return SampledToken(id: Int32(id)) }
        let logprobs = logprobs(raw)
        let best = descending(raw).prefix(max(0, top)).map { (id: Int32($0), logprob: logprobs[$0]) }
        return SampledToken(
            id: Int32(id), logprob: logprobs[id], top: Array(best), scores: row.scoredIDs.map { logprobs[Int($0)] })
    }

    /// NaN forbids a token; infinity is the largest number, so that differences stay numbers.
    private static func clean(_ value: Float) -> Float {
        value.isNaN ? -.infinity : min(value, .greatestFiniteMagnitude)
    }

    /// Indices in order of descending logit, the lowest index first among equals.
    private static func descending(_ logits: [Float]) -> [Int] {
        logits.indices.sorted { (-logits[$0], $0) < (-logits[$1], $1) }
    }

    private static func logprobs(_ logits: [Float]) -> [Float] {
        let largest = logits.max() ?? -.infinity
        if largest == -.infinity { return logits }
        let mass = logits.reduce(0.0) { $0 + exponential(Double($1) - Double(largest)) }
        return logits.map { Float(Double($0) - Double(largest) - log(mass)) }
    }

    /// Step 0.
    private static func allowed(_ logits: [Float], _ row: SamplingRow) -> [Float] {
        if row.allowed.isEmpty { return logits }
        return logits.indices.map { id in
            id >> 6 < row.allowed.count && row.allowed[id >> 6] >> UInt64(id & 63) & 1 != 0 ? logits[id] : -.infinity
        }
    }

    /// Steps 1 to 3. An id outside the vocabulary changes nothing.
    private static func adjusted(_ logits: [Float], _ row: SamplingRow) -> [Float] {
        var logits = logits
        func change(_ id: Int32, _ change: (Float) -> Float) {
            guard logits.indices.contains(Int(id)) else { return }
            logits[Int(id)] = clean(change(logits[Int(id)]))
        }
        for (id, value) in row.biases { change(id) { $0 + value } }
        for id in row.repeated {
            change(id) { $0 > 0 ? $0 / row.repetitionPenalty : $0 * row.repetitionPenalty }
        }
        for (id, count) in row.counts {
            change(id) { $0 - (row.frequencyPenalty * Float(count) + row.presencePenalty) }
        }
        return logits
    }

    /// Step 4. Where every token is forbidden, the first that is allowed, or token 0.
    private static func choose(_ logits: [Float], _ row: SamplingRow) -> Int {
        let order = descending(logits)
        guard let best = order.first, logits[best] > -.infinity else {
            return row.allowed.firstIndex { $0 != 0 }.map { $0 * 64 + row.allowed[$0].trailingZeroBitCount } ?? 0
        }
        if row.temperature <= 0 { return best }
        var kept = order.map { id in
            (id: id, weight: exponential((Double(logits[id]) - Double(logits[best])) / Double(row.temperature)))
        }
        if row.topK > 0 { kept = Array(kept.prefix(row.topK)) }
        if row.topP < 1 { kept = prefix(of: kept) { $0 >= Double(row.topP) * $1 } }
        if row.minP > 0 { kept = kept.filter { $0.weight >= Double(min(row.minP, 1)) * kept[0].weight } }
        return prefix(of: kept) { $0 > Double(row.uniform) * $1 }.last?.id ?? best
    }

    /// The first entries until their running sum, seen beside the sum of all, is enough.
    private static func prefix(
        of entries: [(id: Int, weight: Double)], enough: (_ sum: Double, _ mass: Double) -> Bool
    ) -> [(id: Int, weight: Double)] {
        let mass = entries.reduce(0) { $0 + $1.weight }
        var sum = 0.0
        for (index, entry) in entries.enumerated() {
            sum += entry.weight
            if enough(sum, mass) { return Array(entries[...index]) }
        }
        return entries
    }
}
