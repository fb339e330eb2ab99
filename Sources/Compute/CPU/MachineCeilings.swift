import CKernels

/// What this machine can do at best with a number of threads, measured: no kernel reads or multiplies faster.
package struct MachineCeilings: Sendable, Equatable {
    package var threads: Int
    /// Bytes a second from memory, past all caches.
    package var readBandwidth: Double
    /// Operations a second (a product and a sum are two) of the widest multiply-add.
    package var float32: Double
    /// The same for dot products of bfloat16 pairs; nil where the processor has none.
    package var bfloat16: Double?
    /// The same for dot products of four bytes; nil where the processor has none.
    package var int8: Double?

    package init(threads: Int, readBandwidth: Double, float32: Double, bfloat16: Double?, int8: Double?) {
        self.threads = threads
        self.readBandwidth = readBandwidth
        self.float32 = float32
        self.bfloat16 = bfloat16
        self.int8 = int8
    }
}

extension CPUBackend {
    /// Measures the ceilings for this backend's threads, the best of several rounds each: whatever else runs on the
    /// machine only lowers a round.
    ///
    /// - Parameters:
    ///   - bufferBytes: memory to read, several times the last-level cache.
    ///   - seconds: time for each of the measurements.
    /// - Throws: `outOfMemory`.
    package func measureCeilings(bufferBytes: Int = 1 << 30, seconds: Double = 0.5) throws(ComputeError)
        -> MachineCeilings
    {
        let loops = ck_ceilings()
        let chunk = CK_READ_CHUNK
        let chunks = max(1, bufferBytes / chunk)
        let buffer = try MemoryRegion(byteCount: chunks * chunk, purpose: "memory to measure its bandwidth")
        // Pages that were never written are all the same zeros.
        buffer.base.initializeMemory(as: UInt8.self, repeating: 1, count: buffer.byteCount)
        pool.beginStep()
        defer { pool.endStep() }
        let read = best(seconds) {
            pool.run(loops.read, ck_read_call(data: buffer.base), count: chunks, grain: 1)
        }
        return MachineCeilings(
            threads: pool.threads, readBandwidth: Double(chunks * chunk) / read,
            float32: rate(loops.f32, seconds) ?? 0, bfloat16: rate(loops.bf16, seconds),
            int8: rate(loops.int8, seconds))
    }

    private func rate(_ multiply: ck_multiply, _ seconds: Double) -> Double? {
        guard let run = multiply.run else { return nil }
        // Some milliseconds.
        let count = 256 * pool.threads
        let time = best(seconds) { pool.run(run, 0, count: count, grain: 1) }
        return Double(count) * Double(CK_MULTIPLY_ROUNDS) * Double(multiply.operations) / time
    }

    /// Seconds of the fastest round, of at least three.
    private func best(_ seconds: Double, _ body: () -> Void) -> Double {
        let clock = ContinuousClock()
        let start = clock.now
        var least = Double.infinity
        var rounds = 0
        while rounds < 3 || start.duration(to: clock.now) / .seconds(1) < seconds {
            least = min(least, clock.measure(body) / .seconds(1))
            rounds += 1
        }
        return least
    }
}
