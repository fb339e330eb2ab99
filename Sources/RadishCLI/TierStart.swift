import Engine
import Glibc
import Logging
import PrefixCache
import RedisTier

/// From the options of the lower tiers to the tiers. What cannot be opened is a warning in the log; the server serves.
enum TierStart {
    static let defaultSize = 20 << 30

    /// - Returns: nil if none is asked for.
    static func tiers(_ options: TierOptions, logger: Logger) throws -> EngineTiers? {
        let wanted = try options.tiers()
        if wanted.isEmpty { return nil }
        let directory = options.directory ?? defaultDirectory()
        let limit = options.size?.bytes ?? defaultSize
        let report: TierReport = { notice in
            let level: Logger.Level = notice.level == .warning ? .warning : .info
            logger.log(level: level, "cache tier \(notice.tier): \(notice.text)")
        }
        return EngineTiers(writePolicy: options.writePolicy, version: radishVersion) { record in
            wanted.compactMap { tier in
                switch tier {
                case .redis(let address):
                    return RedisTier(address, record: record, now: secondsSince1970, report: report)
                case .file:
                    do throws(DiskError) {
                        return try DiskTier(
                            directory: directory, byteLimit: limit, record: record, now: secondsSince1970,
                            report: report)
                    } catch {
                        report(TierNotice(.warning, tier: "disk", "\(error); serving goes on without this tier"))
                        return nil
                    }
                }
            }
        }
    }

    static func defaultDirectory() -> String {
        func variable(_ name: String) -> String? {
            getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
        }
        let cache = variable("XDG_CACHE_HOME") ?? (variable("HOME") ?? "/tmp") + "/.cache"
        return cache + "/radish/kv"
    }

    /// As files are dated.
    private static func secondsSince1970() -> Double {
        Double(time(nil))
    }
}
