package import Compute
import Scheduling

/// Every automatic choice as a value with its reason, printed at start and by `radish doctor`.
package struct ResolvedConfiguration: Sendable, Equatable {
    package var contextLength: Resolved<Int>
    package var poolTokens: Resolved<Int>
    package var pageSize: Resolved<Int>
    package var maxRunningRequests: Resolved<Int>
    package var maxQueuedRequests: Resolved<Int>
    /// Prompt tokens of one step, over all requests.
    package var chunkedPrefillSize: Resolved<Int>
    /// Rows of the largest step.
    package var stepTokens: Resolved<Int>

    /// Sizes that do not need the KV layout; the pool follows in `resolvePool`.
    ///
    /// - Throws: `EngineError` naming the flag that cannot be met.
    package init(_ configuration: EngineConfiguration, modelContext: Int) throws(EngineError) {
        if let wanted = configuration.contextLength {
            guard wanted >= 2 else {
                throw .invalidSetting(
                    flag: "--context-length", found: "\(wanted)",
                    expected: "an integer ≥ 2: one token of prompt and one of output")
            }
            guard wanted <= modelContext else { throw .contextLength(requested: wanted, model: modelContext) }
            contextLength = Resolved(wanted, "--context-length")
        } else {
            contextLength = Resolved(modelContext, "the model's own")
        }
        pageSize = try Self.resolvePageSize(configuration.pageSize)
        maxRunningRequests = try Self.positive(
            configuration.maxRunningRequests, "--max-running-requests", otherwise: 256, "default", limit: 1 << 16)
        maxQueuedRequests = try Self.positive(
            configuration.maxQueuedRequests, "--max-queued-requests", otherwise: 4096, "default", limit: 1 << 30)
        let largest = try Self.positive(
            configuration.maxPrefillTokens, "--max-prefill-tokens", otherwise: 16384, "default", limit: 1 << 20)
        var chunk = largest
        if configuration.chunkedPrefillSize == -1 {
            chunk.reason += ", as --chunked-prefill-size -1 sets no limit of its own"
        } else {
            chunk = try Self.positive(
                configuration.chunkedPrefillSize, "--chunked-prefill-size", otherwise: 512,
                "default: enough rows to keep the compute units busy, few enough to keep running streams fluent")
            if chunk.value > largest.value { chunk = largest }
        }
        chunkedPrefillSize = chunk
        stepTokens = Resolved(
            chunk.value + maxRunningRequests.value, "one prefill chunk and one token of each running request")
        poolTokens = Resolved(0, "not sized yet")
    }

    /// Sizes the KV pool: as asked for, or from the memory that is available, but never more than all running requests
    /// could fill.
    ///
    /// - Parameters:
    ///   - available: bytes the process may still use, weights already loaded.
    ///   - weightBytes: packed weights, part of the share that `--mem-fraction-static` speaks of.
    package mutating func resolvePool(
        _ configuration: EngineConfiguration, layout: KVLayout, available: Int, weightBytes: Int
    ) throws(EngineError) {
        let page = pageSize.value
        let perToken = layout.bytesPerToken
        func wholePages(_ tokens: Int) -> Int { tokens / page * page }
        if let tokens = configuration.maxTotalTokens {
            guard tokens >= page else {
                throw .invalidSetting(
                    flag: "--max-total-tokens", found: "\(tokens)", expected: "at least one page (\(page) tokens)")
            }
            // Page numbers are 32 bits wide.
            let largest = min(available / perToken, Int(Int32.max) * page)
            guard wholePages(tokens) <= largest else {
                throw .invalidSetting(
                    flag: "--max-total-tokens", found: "\(tokens)",
                    expected: "at most \(wholePages(largest)): \(Self.mebibytes(available)) MiB are available, and a "
                        + "token takes \(perToken) bytes")
            }
            poolTokens = Resolved(wholePages(tokens), "--max-total-tokens")
            return
        }
        let fraction = configuration.memoryFraction ?? 0.5
        guard fraction > 0, fraction < 1 else {
            throw .invalidSetting(
                flag: "--mem-fraction-static", found: "\(fraction)", expected: "a number between 0 and 1")
        }
        let share = Int(Double(available + weightBytes) * fraction) - weightBytes
        let fits = min(max(0, share) / perToken, Int(Int32.max) * page)
        let (product, overflow) = (contextLength.value + page).multipliedReportingOverflow(
            by: maxRunningRequests.value)
        let useful = overflow ? Int.max : product
        guard wholePages(fits) >= 2 * page else {
            throw .poolTooSmall(
                availableBytes: available, bytesPerToken: perToken, minimumTokens: 2 * page, weightBytes: weightBytes)
        }
        if configuration.memoryFraction == nil, useful < fits {
            poolTokens = Resolved(
                wholePages(useful), "\(maxRunningRequests.value) running requests × \(contextLength.value) tokens")
        } else {
            poolTokens = Resolved(
                wholePages(fits),
                "\(Int(fraction * 100))% of \(Self.mebibytes(available + weightBytes)) MiB, less "
                    + "\(Self.mebibytes(weightBytes)) MiB of weights, at \(perToken) bytes a token")
        }
    }

    private static func mebibytes(_ bytes: Int) -> Int { bytes >> 20 }

    private static func positive(
        _ value: Int?, _ flag: String, otherwise fallback: Int, _ reason: String, limit: Int = .max
    ) throws(EngineError) -> Resolved<Int> {
        guard let value else { return Resolved(fallback, reason) }
        guard value >= 1 else {
            throw .invalidSetting(flag: flag, found: "\(value)", expected: "an integer ≥ 1")
        }
        guard value <= limit else {
            throw .invalidSetting(flag: flag, found: "\(value)", expected: "an integer from 1 to \(limit)")
        }
        return Resolved(value, flag)
    }

    /// The kernels read keys 16 tokens at a time. Prefixes are matched to the token at any page size, so a client of
    /// SGLang who sets `--page-size 1` loses nothing by the 16.
    private static func resolvePageSize(_ wanted: Int?) throws(EngineError) -> Resolved<Int> {
        guard let wanted else { return Resolved(16, "default") }
        if wanted == 1 { return Resolved(16, "--page-size 1: matching is token-exact at any page size") }
        guard wanted > 0, wanted % 16 == 0, wanted <= 1024 else {
            throw .pageSize(requested: wanted, granularity: 16)
        }
        return Resolved(wanted, "--page-size")
    }
}

/// A setting and why it has its value.
package struct Resolved<Value: Sendable & Equatable>: Sendable, Equatable {
    package var value: Value
    package var reason: String

    package init(_ value: Value, _ reason: String) {
        self.value = value
        self.reason = reason
    }
}
