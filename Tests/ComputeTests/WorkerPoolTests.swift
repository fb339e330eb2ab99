import Compute
import Glibc
import Testing

struct WorkerPoolTests {
    private func cpuSeconds() -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
            + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6
    }

    /// Many regions back to back, in and out of steps: none is lost, none ends early.
    @Test(arguments: [1, 2, 3])
    func manyRegions(threads: Int) throws {
        let backend = try CPUBackend(kernels: nil, threads: threads, pin: threads == 2)
        #expect(backend.information.threads == threads)
        let x = try backend.makeTensor(rows: 64, columns: 4096)
        let y = try backend.makeTensor(rows: 64, columns: 4096)
        let table = try backend.packWeight([floatView((0..<64 * 4096).map { Float($0 % 97) }, [64, 4096])])
        backend.embed((0..<64).map { Int32($0) }, table, into: x)
        let ones = try backend.makeVector([floatView([Float](repeating: 1, count: 4096), [4096])])
        backend.rmsNorm(x, weight: ones, epsilon: 1e-5, into: y, rows: 64)
        let expected = (0..<64).map { backend.read(y, row: $0) }
        for round in 0..<2000 {
            if round % 100 == 0 { backend.beginStep() }
            if round % 100 == 50 { backend.endStep() }
            let rows = 2 + round % 5
            backend.rmsNorm(x, weight: ones, epsilon: 1e-5, into: y, rows: rows)
            if round % 97 == 0 { #expect((0..<rows).map { backend.read(y, row: $0) } == Array(expected[..<rows])) }
        }
        backend.endStep()
    }

    @Test func aStepThatWasNotEndedStillLetsThePoolGo() throws {
        let backend = try CPUBackend(kernels: nil, threads: 2, pin: true)
        backend.beginStep()
    }

    /// Other tests of this process may run meanwhile, so the bound is loose: a spinning worker would use all of it.
    @Test(.serialized, arguments: [true, false])
    func workersSleepWhenNoStepIsOn(afterAStep: Bool) async throws {
        let backend = try CPUBackend(kernels: nil, threads: 4, pin: false)
        if afterAStep {
            backend.beginStep()
            backend.endStep()
        }
        var least = Double.infinity
        for _ in 0..<20 where least > 0.02 {
            let before = cpuSeconds()
            try await Task.sleep(for: .milliseconds(100))
            least = min(least, cpuSeconds() - before)
        }
        // Shows only in a quiet process; elsewhere it says nothing, and says so.
        if least > 0.02 { print("SKIPPED: idle CPU use; other tests kept the process busy (\(least) s of 0.1)") }
        #expect(backend.information.threads == 4)
    }

    @Test func threadCountsAreLimitedByTheContainer() {
        let files = [
            "/proc/self/cgroup": "0::/a/b\n",
            "/sys/fs/cgroup/a/b/cpu.max": "150000 100000\n",
            "/sys/fs/cgroup/a/cpu.max": "max 100000\n",
            "/sys/fs/cgroup/a/memory.max": "1000000000\n",
            "/sys/fs/cgroup/a/memory.current": "700000000\n",
            "/sys/fs/cgroup/a/memory.stat": "anon 300000000\ninactive_file 200000000\nactive_file 100000000\n",
            "/sys/fs/cgroup/a/b/memory.max": "max\n",
            "/proc/meminfo": "MemTotal:       24000000 kB\nMemFree: 1 kB\nMemAvailable:   20000000 kB\n",
            "/sys/devices/system/cpu/cpu0/topology/thread_siblings_list": "0,4\n",
            "/sys/devices/system/cpu/cpu4/topology/thread_siblings_list": "0,4\n",
            "/sys/devices/system/cpu/cpu1/topology/thread_siblings_list": "1,5\n",
            "/sys/devices/system/cpu/cpu2/topology/thread_siblings_list": "2,6\n",
        ]
        let host = HostInfo(cpus: [0, 1, 2, 4]) { files[$0] }
        #expect(host.cpus == [0, 1, 2, 4])
        #expect(host.cores == 3)
        #expect(host.cpuQuota == 1.5)
        #expect(host.threads == 1)
        #expect(host.totalMemory == 1_000_000_000)
        #expect(host.availableMemory == 600_000_000)

        let free = HostInfo(cpus: [4, 0]) { $0.contains("cgroup") ? nil : files[$0] }
        #expect(free.cpus == [4, 0] && free.cores == 1 && free.threads == 1)
        #expect(free.totalMemory == 24_000_000 << 10)

        let old = [
            "/proc/self/cgroup": "4:memory:/x\n3:cpu,cpuacct:/x\n",
            "/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us": "400000\n",
            "/sys/fs/cgroup/cpu/x/cpu.cfs_period_us": "100000\n",
            "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
            "/sys/fs/cgroup/memory/x/memory.limit_in_bytes": "500\n",
            "/sys/fs/cgroup/memory/x/memory.usage_in_bytes": "200\n",
            "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
            "/proc/meminfo": "MemTotal: 1 kB\nMemAvailable: 1 kB\n",
        ]
        let first = HostInfo(cpus: [0, 1, 2, 3, 4, 5, 6, 7]) { old[$0] }
        #expect(first.cpuQuota == 4 && first.threads == 4)
        #expect(first.totalMemory == 500 && first.availableMemory == 300)
    }
}
