import Compute
import Engine
import Tensors
import Testing

/// Settings that cannot be met are refused, with the flag's name and what was expected.
struct ConfigurationTests {
    private static let layout = KVLayout(
        layers: 4, keyValueHeads: 2, headDimension: 64, pageSize: 16, dtype: .bfloat16)

    private static func resolve(
        available: Int = 1 << 30, weights: Int = 1 << 20, context: Int = 2048,
        _ change: (inout EngineConfiguration) -> Void = { _ in }
    ) throws(EngineError) -> ResolvedConfiguration {
        var configuration = EngineConfiguration(modelPath: "test")
        change(&configuration)
        var resolved = try ResolvedConfiguration(configuration, modelContext: context)
        var layout = layout
        layout.pageSize = resolved.pageSize.value
        try resolved.resolvePool(configuration, layout: layout, available: available, weightBytes: weights)
        return resolved
    }

    private static func error(
        available: Int = 1 << 30, _ change: (inout EngineConfiguration) -> Void
    ) -> EngineError? {
        do {
            _ = try resolve(available: available, change)
            return nil
        } catch { return error }
    }

    @Test func defaults() throws {
        let resolved = try Self.resolve()
        #expect(resolved.contextLength.value == 2048)
        #expect(resolved.pageSize.value == 16)
        #expect(resolved.maxRunningRequests.value == 256)
        #expect(resolved.maxQueuedRequests.value == 4096)
        #expect(resolved.chunkedPrefillSize.value == 512)
        #expect(resolved.stepTokens.value == 768)
        // Half of what is available and the weights took, less the weights, at 2048 bytes a token.
        #expect(resolved.poolTokens.value == ((1 << 30) + (1 << 20)) / 2 / 2048 - (1 << 20) / 2048)
        for reason in [resolved.poolTokens.reason, resolved.chunkedPrefillSize.reason, resolved.pageSize.reason] {
            #expect(!reason.isEmpty)
        }
    }

    @Test func pool() throws {
        // No larger than all running requests could fill.
        let useful = try Self.resolve(available: 1 << 40) { $0.maxRunningRequests = 4 }
        #expect(useful.poolTokens.value == 4 * (2048 + 16))
        // Unless a share was asked for.
        let share = try Self.resolve(available: 1 << 31, weights: 0) {
            $0.maxRunningRequests = 4
            $0.memoryFraction = 0.25
        }
        #expect(share.poolTokens.value == (1 << 29) / 2048)
        let asked = try Self.resolve { $0.maxTotalTokens = 1000 }
        #expect(asked.poolTokens.value == 992 && asked.poolTokens.reason == "--max-total-tokens")
    }

    @Test func chunks() throws {
        #expect(try Self.resolve { $0.chunkedPrefillSize = 7 }.chunkedPrefillSize.value == 7)
        #expect(try Self.resolve { $0.chunkedPrefillSize = -1 }.chunkedPrefillSize.value == 16384)
        let clipped = try Self.resolve {
            $0.chunkedPrefillSize = 8192
            $0.maxPrefillTokens = 1024
            $0.maxRunningRequests = 10
        }
        #expect(clipped.chunkedPrefillSize.value == 1024 && clipped.stepTokens.value == 1034)
        // Token-exact matching makes pages of one token needless.
        #expect(try Self.resolve { $0.pageSize = 1 }.pageSize.value == 16)
        #expect(try Self.resolve { $0.pageSize = 64 }.pageSize.value == 64)
    }

    @Test(arguments: [0, -16, 2, 15, 17, 1040, .max, .min])
    func pageSizes(_ size: Int) {
        #expect(Self.error { $0.pageSize = size } == .pageSize(requested: size, granularity: 16))
    }

    @Test func contextLengths() {
        #expect(Self.error { $0.contextLength = 2049 } == .contextLength(requested: 2049, model: 2048))
        for length in [1, 0, -5] { #expect(Self.flag { $0.contextLength = length } == "--context-length") }
        #expect(Self.error { $0.contextLength = 2 } == nil)
    }

    @Test(arguments: [0, -1, -2, .min])
    func notPositive(_ value: Int) {
        #expect(Self.flag { $0.maxRunningRequests = value } == "--max-running-requests")
        #expect(Self.flag { $0.maxQueuedRequests = value } == "--max-queued-requests")
        #expect(Self.flag { $0.maxPrefillTokens = value } == "--max-prefill-tokens")
        #expect(Self.flag { $0.maxTotalTokens = value } == "--max-total-tokens")
        if value != -1 { #expect(Self.flag { $0.chunkedPrefillSize = value } == "--chunked-prefill-size") }
    }

    /// Nothing overflows.
    @Test func tooLarge() throws {
        #expect(Self.flag { $0.maxRunningRequests = .max } == "--max-running-requests")
        #expect(Self.flag { $0.maxQueuedRequests = .max } == "--max-queued-requests")
        #expect(Self.flag { $0.maxPrefillTokens = .max } == "--max-prefill-tokens")
        #expect(Self.flag { $0.maxTotalTokens = .max } == "--max-total-tokens")
        #expect(Self.flag(available: 1 << 20) { $0.maxTotalTokens = 1024 } == "--max-total-tokens")
        #expect(Self.error(available: 1 << 20) { $0.maxTotalTokens = 512 } == nil)
        #expect(try Self.resolve { $0.chunkedPrefillSize = .max }.chunkedPrefillSize.value == 16384)
    }

    @Test(arguments: [0, 1, -0.5, 1.5, .nan, .infinity])
    func fractions(_ fraction: Double) {
        #expect(Self.flag { $0.memoryFraction = fraction } == "--mem-fraction-static")
    }

    @Test func noRoom() {
        let error = Self.error(available: 100_000) { $0.memoryFraction = 0.5 }
        #expect(
            error
                == .poolTooSmall(availableBytes: 100_000, bytesPerToken: 2048, minimumTokens: 32, weightBytes: 1 << 20))
    }

    private static func flag(
        available: Int = 1 << 30, _ change: (inout EngineConfiguration) -> Void
    ) -> String? {
        guard case .invalidSetting(let flag, let found, let expected)? = error(available: available, change) else {
            return nil
        }
        return found.isEmpty || expected.isEmpty ? nil : flag
    }
}
