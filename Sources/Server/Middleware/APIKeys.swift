import FoundationEssentials
import Synchronization

/// Who may use the server, and how often: one key from the command line, any number from a file that is read again
/// when it has changed.
///
/// The file has one key a line: `KEY [NAME [REQUESTS_PER_MINUTE]]`; what follows a `#` is a comment.
final class APIKeys: Sendable {
    struct Holder: Sendable, Equatable {
        /// For the log; never the key itself.
        var name: String
        /// Nil: as often as they like.
        var perMinute: Int?
    }

    enum Verdict: Sendable, Equatable {
        case welcome(Holder)
        case unknown
        /// May come again after so many seconds.
        case tooOften(Holder, retryAfter: Int)
    }

    private struct Entry {
        var key: [UInt8]
        var holder: Holder
    }

    private struct Bucket {
        var tokens: Double
        var filled: ContinuousClock.Instant
    }

    private struct State {
        var entries: [Entry] = []
        var buckets: [String: Bucket] = [:]
        /// Change time and size of the file that `entries` came from.
        var stamp: Date?
        var lastLook: ContinuousClock.Instant?
    }

    private let path: String?
    private let fixed: [Entry]
    private let lookInterval: Duration
    private let state = Mutex(State())

    /// - Parameters:
    ///   - key: from the command line.
    ///   - path: of the file.
    ///   - lookInterval: how often the file is looked at, at most.
    /// - Throws: `APIKeyFileError` if the file cannot be used now. Later on a bad file leaves the keys as they were.
    init(key: String?, path: String?, lookInterval: Duration = .seconds(1)) throws(APIKeyFileError) {
        self.path = path
        self.lookInterval = lookInterval
        fixed = key.map { [Entry(key: Array($0.utf8), holder: Holder(name: "default"))] } ?? []
        guard let path else { return }
        let (entries, stamp) = try Self.read(path)
        state.withLock { state in
            state.entries = entries
            state.stamp = stamp
        }
    }

    /// Nobody has to show a key.
    var isOpen: Bool { path == nil && fixed.isEmpty }

    /// - Parameter reload: called with what the file's new text was wrong about, or nil if it was taken.
    func judge(_ given: [UInt8], reload: (APIKeyFileError?) -> Void) -> Verdict {
        let now = ContinuousClock.now
        look(now, reload)
        return state.withLock { state in
            var found: Holder?
            // All are compared, so that the time tells nothing of which one is near.
            for entry in fixed + state.entries where Self.isEqual(entry.key, given) { found = entry.holder }
            guard let found else { return .unknown }
            guard let perMinute = found.perMinute else { return .welcome(found) }
            return Self.spend(&state.buckets, found, perMinute: perMinute, now)
        }
    }

    /// A bucket that holds a minute's requests and fills evenly.
    private static func spend(
        _ buckets: inout [String: Bucket], _ holder: Holder, perMinute: Int, _ now: ContinuousClock.Instant
    ) -> Verdict {
        let limit = Double(perMinute)
        var bucket = buckets[holder.name] ?? Bucket(tokens: limit, filled: now)
        bucket.tokens = min(limit, bucket.tokens + (now - bucket.filled).seconds * limit / 60)
        bucket.filled = now
        defer { buckets[holder.name] = bucket }
        guard bucket.tokens >= 1 else {
            let wait = limit > 0 ? (1 - bucket.tokens) * 60 / limit : 60
            return .tooOften(holder, retryAfter: max(1, Int(wait.rounded(.up))))
        }
        bucket.tokens -= 1
        return .welcome(holder)
    }

    /// Takes the same time wherever the first difference is, so that a key cannot be found byte by byte.
    private static func isEqual(_ key: [UInt8], _ given: [UInt8]) -> Bool {
        guard given.count == key.count else { return false }
        var difference: UInt8 = 0
        for (left, right) in zip(given, key) { difference |= left ^ right }
        return difference == 0
    }

    private func look(_ now: ContinuousClock.Instant, _ reload: (APIKeyFileError?) -> Void) {
        guard let path else { return }
        let known: Date?? = state.withLock { state in
            if let last = state.lastLook, now - last < lookInterval { return nil }
            state.lastLook = now
            return .some(state.stamp)
        }
        guard let known, Self.stamp(path) != known else { return }
        do {
            let (entries, stamp) = try Self.read(path)
            state.withLock { state in
                state.entries = entries
                state.stamp = stamp
            }
            reload(nil)
        } catch {
            // Not again until it changes.
            state.withLock { $0.stamp = Self.stamp(path) }
            reload(error)
        }
    }

    private static func stamp(_ path: String) -> Date? {
        (try? FileManager.default.attributesOfItem(atPath: path))?[.modificationDate] as? Date
    }

    private static func read(_ path: String) throws(APIKeyFileError) -> ([Entry], Date?) {
        let stamp = stamp(path)
        guard let data = FileManager.default.contents(atPath: path) else {
            throw APIKeyFileError(path: path, line: nil, reason: "it cannot be read")
        }
        var entries: [Entry] = []
        let lines = String(decoding: data, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        for (number, line) in lines.enumerated() {
            let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
            guard let key = words.first else { continue }
            var holder = Holder(name: words.count > 1 ? String(words[1]) : "key-\(number + 1)")
            if words.count > 2 {
                guard words.count == 3, let rate = Int(words[2]), rate > 0 else {
                    throw APIKeyFileError(
                        path: path, line: number + 1, reason: "expected 'KEY [NAME [REQUESTS_PER_MINUTE]]'")
                }
                holder.perMinute = rate
            }
            entries.append(Entry(key: Array(key.utf8), holder: holder))
        }
        guard !entries.isEmpty else { throw APIKeyFileError(path: path, line: nil, reason: "it has no key") }
        return (entries, stamp)
    }
}

/// A file of API keys that cannot be used.
package struct APIKeyFileError: Error, Equatable, Sendable, CustomStringConvertible {
    package var path: String
    /// From 1.
    package var line: Int?
    package var reason: String

    package var description: String { "\(path)\(line.map { ":\($0)" } ?? ""): \(reason)" }
}
