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

    @Option(
        name: .customLong("max-itl-ms"),
        help: ArgumentHelp(
            "Longest time between two tokens of a running stream while prompts prefill; 0: no bound (default 1000).",
            valueName: "ms"))
    var maxGapMilliseconds: Double?

    @Flag(
        name: .customLong("enable-priority-scheduling"),
        help: "Let requests with a higher `priority` stop running ones, which resume later where they were.")
    var preempts = false

    @Option(
        name: .customLong("priority-scheduling-preemption-threshold"),
        help: ArgumentHelp("How much higher the priority must be for that (default 10).", valueName: "n"))
    var preemptionThreshold: Int?

    func validate() throws {
        if let gap = maxGapMilliseconds, !(gap >= 0 && gap <= 1e9) {
            throw ValidationError("--max-itl-ms \(gap): expected a number of milliseconds, or 0 for no bound.")
        }
        if let threshold = preemptionThreshold, threshold < 1 {
            throw ValidationError("--priority-scheduling-preemption-threshold \(threshold): expected an integer ≥ 1.")
        }
    }

    @Flag(name: [.customLong("enable-mixed-chunk"), .customLong("enable-chunked-prefill")], help: .hidden)
    var alwaysOn = false
}

extension SchedulePolicy: ExpressibleByArgument {}
