import ArgumentParser
import PrefixCache
import RedisTier

/// The tiers below the KV pool; SGLang's names, and what they mean there as far as it exists here.
struct TierOptions: ParsableArguments {
    @Option(
        name: [.customLong("hicache-storage"), .customLong("hicache-storage-backend")],
        help: ArgumentHelp(
            "Where evicted pages go: file, redis://[[user:]password@]host[:port][/db], or both with a comma between.",
            valueName: "tiers"))
    var storage: String?

    @Option(
        name: .customLong("hicache-dir"),
        help: ArgumentHelp(
            "Folder of the file tier (default ~/.cache/radish/kv); any number of servers may share it.",
            valueName: "dir"))
    var directory: String?

    @Option(
        name: .customLong("hicache-size"),
        help: ArgumentHelp(
            "Bound of the file tier: 20G, 500M; a bare number is in GB (default 20G).", valueName: "bytes"))
    var size: ByteSize?

    @Option(
        name: .customLong("hicache-write-policy"),
        help: """
            When pages are written down: write_through (as soon as computed), write_through_selective (when used \
            again), write_back (when evicted).
            """)
    var writePolicy = TierWritePolicy.writeThrough

    @Flag(name: .customLong("enable-hierarchical-cache"), help: .hidden)
    var enabled = false

    @Option(name: .customLong("hicache-ratio"), help: .hidden)
    var ratio: Double?

    /// What `--hicache-storage` names.
    enum Tier: Equatable {
        case file
        case redis(RedisAddress)
    }

    /// - Throws: `ValidationError` naming what is not a tier.
    func tiers() throws -> [Tier] {
        guard let storage else { return directory != nil || enabled ? [.file] : [] }
        return try storage.split(separator: ",").map { part in
            let name = part.trimmingPrefix(while: \.isWhitespace)
            if name == "file" { return .file }
            if let address = RedisAddress(String(name)) { return .redis(address) }
            throw ValidationError(
                "--hicache-storage \(storage): expected file or redis://host:port/db, or both with a comma between.")
        }
    }

    func validate() throws { _ = try tiers() }
}

extension TierWritePolicy: ExpressibleByArgument {}

/// A number of bytes as people write it. The units are those of 1024; a bare number is in GB, as SGLang takes it.
struct ByteSize: ExpressibleByArgument, Equatable {
    let bytes: Int

    init?(argument: String) {
        let text = argument.lowercased()
        let number = text.prefix { $0.isNumber || $0 == "." }
        let shifts = ["": 30, "b": 0, "k": 10, "m": 20, "g": 30, "t": 40]
        var unit = text.dropFirst(number.count)
        if unit.hasSuffix("ib") {
            unit = unit.dropLast(2)
        } else if unit.count == 2, unit.hasSuffix("b") {
            unit = unit.dropLast()
        }
        guard let value = Double(number), let shift = shifts[String(unit)] else { return nil }
        let size = value * Double(1 << shift)
        guard size >= 1, size < 1e18 else { return nil }
        bytes = Int(size)
    }
}
