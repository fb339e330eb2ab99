/// Limits of one control group: the process's own or one above it.
///
/// Source: Linux `Documentation/admin-guide/cgroup-v2.rst` and `cgroup-v1/`.
struct CgroupLimits {
    /// CPUs, from the bandwidth controller.
    var cpuQuota: Double?
    /// Bytes.
    var memoryLimit: Int?
    /// Bytes that cannot be reclaimed by dropping page cache.
    var memoryInUse = 0

    /// All groups from the process's own up to the root, of every mounted hierarchy.
    static func all(_ read: (String) -> String?) -> [CgroupLimits] {
        var result: [CgroupLimits] = []
        for line in (read("/proc/self/cgroup") ?? "").split(separator: "\n") {
            // hierarchy:controllers:path
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let controllers = parts[1].split(separator: ",")
            for path in ancestors(parts[2]) {
                if parts[1].isEmpty {
                    result.append(unified("/sys/fs/cgroup" + path, read))
                } else if controllers.contains("memory") {
                    result.append(memoryV1("/sys/fs/cgroup/memory" + path, read))
                } else if controllers.contains("cpu") {
                    result.append(cpuV1("/sys/fs/cgroup/cpu" + path, read))
                }
            }
        }
        return result
    }

    /// `/a/b` gives `/a/b`, `/a` and the empty string.
    private static func ancestors(_ path: Substring) -> [String] {
        var names = path.split(separator: "/")
        var result: [String] = []
        while !names.isEmpty {
            result.append("/" + names.joined(separator: "/"))
            names.removeLast()
        }
        return result + [""]
    }

    private static func unified(_ directory: String, _ read: (String) -> String?) -> CgroupLimits {
        var limits = CgroupLimits()
        let cpu = words(read(directory + "/cpu.max"))
        if cpu.count == 2, let quota = Double(cpu[0]), let period = Double(cpu[1]), quota > 0, period > 0 {
            limits.cpuQuota = quota / period
        }
        if let limit = number(read(directory + "/memory.max")) {
            limits.memoryLimit = limit
            limits.memoryInUse = inUse(
                number(read(directory + "/memory.current")), read(directory + "/memory.stat"),
                cache: ["inactive_file", "active_file"])
        }
        return limits
    }

    private static func cpuV1(_ directory: String, _ read: (String) -> String?) -> CgroupLimits {
        var limits = CgroupLimits()
        if let quota = number(read(directory + "/cpu.cfs_quota_us")), quota > 0,
            let period = number(read(directory + "/cpu.cfs_period_us")), period > 0
        {
            limits.cpuQuota = Double(quota) / Double(period)
        }
        return limits
    }

    private static func memoryV1(_ directory: String, _ read: (String) -> String?) -> CgroupLimits {
        var limits = CgroupLimits()
        // Without a limit the file holds the largest multiple of the page size, some 2^63.
        if let limit = number(read(directory + "/memory.limit_in_bytes")), limit < 1 << 60 {
            limits.memoryLimit = limit
            limits.memoryInUse = inUse(
                number(read(directory + "/memory.usage_in_bytes")), read(directory + "/memory.stat"),
                cache: ["total_inactive_file", "total_active_file"])
        }
        return limits
    }

    private static func inUse(_ usage: Int?, _ statistics: String?, cache: [Substring]) -> Int {
        let fields = HostInfo.fields(statistics ?? "")
        return max(0, (usage ?? 0) - cache.reduce(0) { $0 + (fields[$1] ?? 0) })
    }

    private static func words(_ text: String?) -> [Substring] {
        (text ?? "").split(whereSeparator: { $0 == " " || $0 == "\n" })
    }

    /// Nil for `max`.
    private static func number(_ text: String?) -> Int? { words(text).first.flatMap { Int($0) } }
}
