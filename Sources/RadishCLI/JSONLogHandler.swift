import Glibc
import Logging
import WireTypes

/// One JSON object a line, on standard error: `time`, `level`, `message`, and each fact under its own name.
struct JSONLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var facts = metadata
        facts.merge(event.metadata ?? [:]) { _, new in new }
        var line = Self.line(level: event.level, message: "\(event.message)", facts)
        line.append(0x0A)
        // In one call, so that lines of several threads do not mix.
        _ = line.span.withUnsafeBytes { Glibc.write(2, $0.baseAddress, $0.count) }
    }

    static func line(level: Logger.Level, message: String, _ facts: Logger.Metadata) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("time", Self.now())
            writer.field("level", level.rawValue)
            writer.field("message", message)
            for (name, value) in facts.sorted(by: { $0.key < $1.key }) { Self.write(name, value, to: &writer) }
        }
        return writer.bytes
    }

    /// Numbers stay numbers, so that they can be summed without being parsed.
    private static func write(_ name: String, _ value: Logger.Metadata.Value, to writer: inout JSONWriter) {
        let text = "\(value)"
        if let number = Int(text), String(number) == text {
            writer.field(name, number)
        } else if let number = Double(text), number.description == text {
            writer.field(name, number)
        } else {
            writer.field(name, text)
        }
    }

    private static func now() -> String {
        var moment = time(nil)
        var parts = tm()
        gmtime_r(&moment, &parts)
        func padded(_ number: Int32, _ width: Int = 2) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
        }
        let date = "\(padded(parts.tm_year + 1900, 4))-\(padded(parts.tm_mon + 1))-\(padded(parts.tm_mday))"
        return "\(date)T\(padded(parts.tm_hour)):\(padded(parts.tm_min)):\(padded(parts.tm_sec))Z"
    }
}
