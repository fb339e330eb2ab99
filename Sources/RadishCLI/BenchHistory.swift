import FoundationEssentials
import Glibc
import LoadBench

/// Which prompts were sent to which server, over all runs of this user.
struct BenchHistory {
    private var history: PromptHistory

    init() { history = PromptHistory(lines: (try? DatasetFile.lines(DatasetFile.bytes(Self.path))) ?? []) }

    /// Notes in the run what it shares with earlier ones, and remembers it.
    mutating func note(_ run: inout ServingRun, _ items: [WorkItem], server: String) {
        let isCold = run.cache.before == .cold
        if !isCold { run.sharedPrompts = history.overlap(items, server: server) }
        history.add(items, server: server, time: Date.now.formatted(.iso8601), forgets: isCold)
        // A run must not fail for want of a place to remember it.
        try? FileManager.default.createDirectory(atPath: Self.folder, withIntermediateDirectories: true)
        try? DatasetFile.write(history.bytes, to: Self.path)
    }

    private static var folder: String {
        if let cache = getenv("XDG_CACHE_HOME") { return String(cString: cache) + "/radish" }
        return (getenv("HOME").map { String(cString: $0) } ?? "/tmp") + "/.cache/radish"
    }

    private static var path: String { folder + "/bench-history.jsonl" }
}
