import ArgumentParser
import FoundationEssentials
import PrefixCache
import Tensors

/// The KV pool and the prefix cache in it.
struct CacheOptions: ParsableArguments {
    @Option(
        name: [.customLong("mem-fraction-static"), .customLong("gpu-memory-utilization")],
        help: ArgumentHelp(
            "Share of the available memory for weights and KV pool together.",
            discussion: "By default the pool takes what the running requests can fill, up to half of the memory.",
            valueName: "0-1"))
    var memoryFraction: Double?

    @Option(
        name: .customLong("max-total-tokens"),
        help: ArgumentHelp("Size of the KV pool in tokens, in place of the sizing by memory.", valueName: "tokens"))
    var maxTotalTokens: Int?

    @Option(
        name: .customLong("kv-cache-dtype"),
        help: ArgumentHelp(
            "Type of keys and values in the pool: auto (as the weights), bf16, fp16, fp8_e4m3 (fp8), int8.",
            discussion: "fp8_e4m3 and int8 take half the memory of bf16; int8 has a scale for each head of each token.")
    )
    var kvCacheType: KVCacheType = .auto

    @Option(
        name: [.customLong("page-size"), .customLong("block-size")],
        help: ArgumentHelp(
            "Tokens per KV page, a multiple of 16. Prefixes are matched to the token at any size.",
            valueName: "tokens"))
    var pageSize: Int?

    @Flag(
        name: [.customLong("disable-radix-cache"), .customLong("no-enable-prefix-caching")],
        help: "Compute every prompt anew.")
    var disableRadixCache = false

    @Option(
        name: .customLong("radix-eviction-policy"),
        help: ArgumentHelp(
            """
            Which unused prefix makes room first: \
            \(EvictionPolicyName.allCases.map(\.rawValue).joined(separator: ", ")) (default lru).
            """, valueName: "policy"))
    var evictionPolicy: EvictionPolicyName?

    @Option(
        name: .customLong("prewarm"),
        help: ArgumentHelp(
            "Prompts to compute and pin before the server is ready: JSON lines, each as for /cache/pin, or a text.",
            valueName: "file"))
    var prewarm: String?

    @Option(
        name: .customLong("max-pinned-tokens"),
        help: ArgumentHelp("Tokens of the KV pool that pinned prompts may keep (default: half).", valueName: "tokens"))
    var maxPinnedTokens: Int?

    @Flag(
        name: [
            .customLong("enable-prefix-caching"), .customLong("enable-cache-report"),
            .customLong("enable-prompt-tokens-details"),
        ],
        help: .hidden)
    var alwaysOn = false
}

extension CacheOptions {
    /// Contents of the `--prewarm` file.
    /// - Throws: `OptionError` if it cannot be read.
    func prewarmFile() throws -> [UInt8]? {
        guard let prewarm else { return nil }
        do { return Array(try Data(contentsOf: URL(filePath: prewarm))) } catch {
            throw OptionError.unreadable(flag: "--prewarm", path: prewarm, reason: "\(error)")
        }
    }
}

extension EvictionPolicyName: ExpressibleByArgument {}

/// SGLang's and vLLM's names for types of pages.
enum KVCacheType: String, ExpressibleByArgument, CaseIterable {
    case auto, bf16, bfloat16, fp16, float16, fp8, int8
    case fp8E4M3 = "fp8_e4m3"

    /// Nil: as the weights.
    var dtype: DType? {
        switch self {
        case .auto: nil
        case .bf16, .bfloat16: .bfloat16
        case .fp16, .float16: .float16
        case .fp8, .fp8E4M3: .float8e4m3
        case .int8: .int8
        }
    }
}
