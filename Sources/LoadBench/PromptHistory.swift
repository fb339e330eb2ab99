import Statistics
import WireTypes

/// Which prompts earlier runs sent to which server, to call out the best-known trap of benchmarks: the second run of the
/// same command finds its prompts in the cache and looks far better than the first.
///
/// Kept as hashes of the prompts' beginnings in one small file; at most `keptRuns` runs.
package struct PromptHistory: Sendable {
    static let keptRuns = 64
    static let keptHashes = 512
    static let beginning = 256

    package struct Overlap: Sendable, Equatable {
        /// Of this run's prompts, as far as both runs' hashes are kept.
        package var share: Double
        /// When the other run was, as its line says.
        package var earlier: String

        package init(share: Double, earlier: String) {
            self.share = share
            self.earlier = earlier
        }

        package var sentence: String {
            "Caution: \((share * 100).fixed(0))% of these prompts begin like prompts of an earlier run against this server "
                + "(\(earlier)), and its cache was not emptied in between: the numbers include that. Use --flush-cache, "
                + "another --seed, or restart the server."
        }

        var json: JSONObject { JSONObject([("share", .number(share)), ("earlier_run", .string(earlier))]) }
    }

    private struct Run {
        var server: String
        var time: String
        var hashes: [String]
    }

    private var runs: [Run] = []

    package init() {}

    /// Lines that are not understood are forgotten.
    package init(lines: [[UInt8]]) {
        for line in lines.suffix(Self.keptRuns) {
            guard let value = try? JSONParser.parse(line), let fields = try? JSONFields(root: value),
                let server = try? fields.string("server"), let time = try? fields.string("time"),
                let hashes = try? fields.array("hashes")
            else { continue }
            runs.append(
                Run(
                    server: server, time: time,
                    hashes: hashes.compactMap { if case .string(let hash) = $0 { hash } else { nil } }))
        }
    }

    /// The earlier run on this server with most prompts in common; nil if there is none.
    package func overlap(_ items: [WorkItem], server: String) -> Overlap? {
        let own = Self.hashes(items)
        guard !own.isEmpty else { return nil }
        var best: Overlap?
        for run in runs where run.server == server {
            let theirs = Set(run.hashes)
            let share = Double(own.count(where: theirs.contains)) / Double(own.count)
            if share > 0, share >= best?.share ?? 0 { best = Overlap(share: share, earlier: run.time) }
        }
        return best
    }

    /// - Parameter forgets: the server's cache was empty, so that what came before does not matter any more.
    package mutating func add(_ items: [WorkItem], server: String, time: String, forgets: Bool) {
        if forgets { runs.removeAll { $0.server == server } }
        runs.append(Run(server: server, time: time, hashes: Self.hashes(items)))
    }

    package var bytes: [UInt8] {
        runs.suffix(Self.keptRuns).flatMap { run in
            var writer = JSONWriter()
            writer.object { writer in
                writer.field("server", run.server)
                writer.field("time", run.time)
                writer.arrayField("hashes") { writer in for hash in run.hashes { writer.string(hash) } }
            }
            return writer.bytes + [0x0A]
        }
    }

    /// The smallest hashes, so that two runs keep the same ones of prompts that both have.
    static func hashes(_ items: [WorkItem]) -> [String] {
        let all = Set(items.map { hash(RequestShape.plainText($0.prompt).utf8.prefix(beginning)) })
        return all.sorted().prefix(keptHashes).map { String($0, radix: 16) }
    }

    /// FNV-1a (Fowler, Noll, Vo), 64 bits.
    static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}
