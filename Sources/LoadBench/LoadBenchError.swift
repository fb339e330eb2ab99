/// Why a benchmark could not be run.
package enum LoadBenchError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A file that cannot be read, or a line of it.
    case dataset(path: String, reason: String)
    /// Flags that exclude or need each other.
    case option(flag: String, reason: String)
    case notReady(url: String, seconds: Int, reason: String)
    case refused(url: String, status: Int, body: String)
    case warmupFailed(String)

    package var description: String {
        switch self {
        case .dataset(let path, let reason): "\(path): \(reason)"
        case .option(let flag, let reason): "\(flag): \(reason)"
        case .notReady(let url, let seconds, let reason):
            "\(url) did not answer within \(seconds) s (\(reason)). Is the server running? --base-url or --host and "
                + "--port say where, --ready-check-timeout-sec how long to wait."
        case .refused(let url, let status, let body): "\(url) answered \(status): \(body.prefix(400))"
        case .warmupFailed(let reason):
            "The warm-up requests failed, so the run would too: \(reason.prefix(600))"
        }
    }
}
