import Grammar
import Testing

/// How long schemas take to compile; printed, never decisive.
struct JSONSchemaTimingTests {
    @Test func compileTimesOfTheCases() throws {
        guard let cases = try JSONSchemaCase.load() else {
            print("SKIPPED: cases/json-schema is not beside the repository (set RADISH_SHARED)")
            return
        }
        let clock = ContinuousClock()
        for (name, options) in [("default", JSONSchemaOptions()), ("verdict", .verdict)] {
            var times: [(Double, String)] = []
            for entry in cases {
                var best = Double.infinity
                for _ in 0..<3 {
                    let time = clock.measure {
                        _ = try? JSONSchemaCompiler.compile(json: entry.schema, options: options)
                    }
                    best = min(best, time / .milliseconds(1))
                }
                times.append((best, entry.id))
            }
            times.sort { $0.0 < $1.0 }
            let slowest = times.suffix(8).map { "\($0.1) \($0.0)" }
            print("compile, \(name): p50 \(times[50].0) ms, p95 \(times[95].0) ms, slowest \(slowest)")
        }
    }
}
