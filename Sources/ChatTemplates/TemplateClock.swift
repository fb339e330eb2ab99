import Glibc

/// A moment as a calendar and a clock on the wall show it.
package struct LocalTime: Sendable, Equatable {
    package var year: Int
    /// 1...12
    package var month: Int
    /// 1...31
    package var day: Int
    package var hour: Int
    package var minute: Int
    package var second: Int
    package var microsecond: Int

    package init(
        year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0, microsecond: Int = 0
    ) {
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
        self.microsecond = microsecond
    }

    /// Formats as Python's `datetime.strftime` does for a time without a zone: the C library's directives in the C
    /// locale, `%f` for microseconds, nothing for `%z` and `%Z`.
    /// - Parameter limit: longest result in bytes; a longer one is empty.
    func formatted(_ format: String, limit: Int) -> String {
        var prepared = "x"
        var isDirective = false
        for scalar in format.unicodeScalars {
            if isDirective {
                isDirective = false
                switch scalar {
                case "z", "Z": prepared.unicodeScalars.removeLast()
                case "f":
                    prepared.unicodeScalars.removeLast()
                    let digits = String(microsecond)
                    prepared += String(repeating: "0", count: max(0, 6 - digits.utf8.count)) + digits
                default: prepared.unicodeScalars.append(scalar)
                }
            } else {
                isDirective = scalar == "%"
                prepared.unicodeScalars.append(scalar)
            }
        }
        var parts = tm()
        parts.tm_year = Int32(clamping: year - 1900)
        parts.tm_mon = Int32(clamping: month - 1)
        parts.tm_mday = Int32(clamping: day)
        parts.tm_hour = Int32(clamping: hour)
        parts.tm_min = Int32(clamping: minute)
        parts.tm_sec = Int32(clamping: second)
        parts.tm_wday = Int32(weekday)
        parts.tm_yday = Int32(dayOfYear)
        parts.tm_isdst = -1
        // The leading x tells an empty result from one that did not fit.
        var buffer = [CChar](repeating: 0, count: limit + 2)
        let count = strftime(&buffer, buffer.count, prepared, &parts)
        guard count > 1 else { return "" }
        return String(decoding: buffer[1..<count].lazy.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static let daysBeforeMonth = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]

    private var dayOfYear: Int {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let index = min(max(month, 1), 12) - 1
        return Self.daysBeforeMonth[index] + (isLeap && index > 1 ? 1 : 0) + day - 1
    }

    /// 0 is Sunday (proleptic Gregorian calendar).
    private var weekday: Int {
        let before = year - 1
        let days = before * 365 + before / 4 - before / 100 + before / 400 + dayOfYear + 1
        return ((days % 7) + 7) % 7
    }
}

/// What `strftime_now` reads. A fixed one makes renderings repeatable.
package struct TemplateClock: Sendable {
    private let fixed: LocalTime?

    /// The machine's local time.
    package static let system = TemplateClock(fixed: nil)

    /// A clock that stands still.
    package static func fixed(_ time: LocalTime) -> TemplateClock { TemplateClock(fixed: time) }

    private init(fixed: LocalTime?) { self.fixed = fixed }

    package func now() -> LocalTime {
        if let fixed { return fixed }
        var moment = timespec()
        clock_gettime(CLOCK_REALTIME, &moment)
        var seconds = moment.tv_sec
        var parts = tm()
        localtime_r(&seconds, &parts)
        return LocalTime(
            year: Int(parts.tm_year) + 1900, month: Int(parts.tm_mon) + 1, day: Int(parts.tm_mday),
            hour: Int(parts.tm_hour), minute: Int(parts.tm_min), second: Int(parts.tm_sec),
            microsecond: Int(moment.tv_nsec) / 1000)
    }
}
