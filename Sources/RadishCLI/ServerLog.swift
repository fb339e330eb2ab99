import Glibc
import Logging

/// Log lines as `2026-01-31T12:00:00 INFO text key=value`, on standard error.
enum ServerLog {
    static func logger(_ level: Logger.Level) -> Logger {
        var logger = Logger(label: "radish") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = level
        return logger
    }
}
