import CKernels
import Glibc

/// What this process may use of the machine: CPUs and memory, with container limits (cgroup v1 and v2) included.
package struct HostInfo: Sendable {
    /// CPUs of the affinity mask: one of each core first, then their hyper-threads.
    package let cpus: [Int32]
    /// Distinct cores among `cpus`. A second hyper-thread of a core adds nothing to kernels that fill its units.
    package let cores: Int
    /// CPU time the container may use, in CPUs; nil: no limit.
    package let cpuQuota: Double?
    /// Bytes: the machine's, or the container's where that is less.
    package let totalMemory: Int
    /// Bytes that can be allocated without swapping or being killed; page cache counts as available.
    package let availableMemory: Int

    /// Threads worth starting: one for each core, not more than the quota pays for.
    package var threads: Int {
        guard let cpuQuota else { return max(1, cores) }
        return max(1, min(cores, Int(cpuQuota)))
    }

    /// - Parameters:
    ///   - cpus: CPUs the process may run on.
    ///   - read: contents of a file of `/proc` or `/sys`; nil if it does not exist.
    package init(cpus: [Int32], read: (String) -> String?) {
        var siblings: Set<String> = []
        var firsts: [Int32] = []
        var others: [Int32] = []
        for cpu in cpus {
            let path = "/sys/devices/system/cpu/cpu\(cpu)/topology/thread_siblings_list"
            if siblings.insert(read(path) ?? "\(cpu)").inserted { firsts.append(cpu) } else { others.append(cpu) }
        }
        self.cpus = firsts + others
        self.cores = firsts.count

        let memory = Self.fields(read("/proc/meminfo") ?? "")
        var total = memory["MemTotal:"].map { $0 << 10 } ?? 0
        var available = memory["MemAvailable:"].map { $0 << 10 } ?? total
        var quota: Double?
        for group in CgroupLimits.all(read) {
            if let limit = group.cpuQuota { quota = min(quota ?? limit, limit) }
            if let limit = group.memoryLimit {
                total = min(total, limit)
                available = min(available, max(0, limit - group.memoryInUse))
            }
        }
        self.cpuQuota = quota
        self.totalMemory = total
        self.availableMemory = available
    }

    /// This process, now.
    package static func current() -> HostInfo {
        var cpus = [Int32](repeating: 0, count: 16384)
        let count = Int(ck_affinity(&cpus, Int32(cpus.count)))
        return HostInfo(cpus: count > 0 ? Array(cpus.prefix(count)) : [0], read: readFile)
    }

    /// See `HostInfo.availableMemory`.
    package static func availableMemory() -> Int { current().availableMemory }
    /// See `HostInfo.totalMemory`.
    package static func totalMemory() -> Int { current().totalMemory }

    /// Marketing name of the processor, for a person.
    package static func processorName() -> String {
        for line in (readFile("/proc/cpuinfo") ?? "").split(separator: "\n") where line.hasPrefix("model name") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            return String(line[line.index(after: colon)...].drop { $0 == " " })
        }
        return "unknown"
    }

    /// Why `threads` is what it is, for a person.
    package static func threadLimitReason() -> String {
        let host = current()
        if let quota = host.cpuQuota, Int(quota) < host.cores { return "the container may use \(quota) CPUs" }
        let cpus = host.cpus.count == host.cores ? "" : " with \(host.cpus.count) hyper-threads"
        return host.cores == 1 ? "1 core\(cpus)" : "\(host.cores) cores\(cpus)"
    }

    /// Numbers of lines such as `MemTotal:  24576 kB` or `inactive_file 4096`, by their first word.
    static func fields(_ text: String) -> [Substring: Int] {
        var result: [Substring: Int] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split { $0 == " " || $0 == "\t" }
            if words.count >= 2, let value = Int(words[1]) { result[words[0]] = value }
        }
        return result
    }

    /// Files of `/proc` and `/sys` have no size of their own, so this reads to the end.
    static func readFile(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16384)
        while bytes.count < 1 << 22 {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count <= 0 { break }
            bytes += chunk[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Bytes of this process that are in memory.
package struct ResidentMemory: Sendable, Equatable {
    package var now: Int
    /// The most there ever were.
    package var most: Int
}

extension HostInfo {
    /// Nil where the system does not say.
    package static func residentMemory() -> ResidentMemory? {
        let status = fields(readFile("/proc/self/status") ?? "")
        guard let now = status["VmRSS:"], let most = status["VmHWM:"] else { return nil }
        return ResidentMemory(now: now << 10, most: most << 10)
    }
}
