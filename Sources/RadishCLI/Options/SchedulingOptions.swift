import ArgumentParser
import Scheduling

/// How requests share the steps.
struct SchedulingOptions: ParsableArguments {
    @Option(
        name: [.customLong("max-running-requests"), .customLong("max-num-seqs")],
        help: ArgumentHelp("Most requests in one step (default 256).", valueName: "n"))
    var maxRunningRequests: Int?

    @Option(
        name: .customLong("max-queued-requests"),
        help: ArgumentHelp("Requests that may wait; more get 429 (default 4096).", valueName: "n"))
    var maxQueuedRequests: Int?

    @Option(
        name: [.customLong("chunked-prefill-size"), .customLong("max-num-batched-tokens")],
        help: ArgumentHelp(
            "Prompt tokens of one step over all requests (default 512; -1: no limit but --max-prefill-tokens).",
            valueName: "tokens"))
    var chunkedPrefillSize: Int?

    @Option(
        name: .customLong("max-prefill-tokens"),
        help: ArgumentHelp("Upper bound of --chunked-prefill-size (default 16384).", valueName: "tokens"))
    var maxPrefillTokens: Int?

    @Option(
        name: [.customLong("schedule-policy"), .customLong("scheduling-policy")],
        help: "Order of waiting requests: \(SchedulePolicy.allCases.map(\.rawValue).joined(separator: ", ")).")
    var schedulePolicy: SchedulePolicy?

    @Flag(name: [.customLong("enable-mixed-chunk"), .customLong("enable-chunked-prefill")], help: .hidden)
    var alwaysOn = false
}

extension SchedulePolicy: ExpressibleByArgument {}
