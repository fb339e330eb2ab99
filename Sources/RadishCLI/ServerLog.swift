import Glibc
import Logging

/// Log lines on standard error: `2026-01-31T12:00:00 INFO text key=value`, or JSON.
enum ServerLog {
    static func logger(_ level: Logger.Level, _ format: LogFormat = .text) -> Logger {
        var logger = Logger(label: "radish") { label -> any LogHandler in
            format == .json ? JSONLogHandler() : StreamLogHandler.standardError(label: label)
        }
        logger.logLevel = level
        return logger
    }
}
