import Statistics

/// Sizes for people.
enum ByteText {
    static func size(_ bytes: Int) -> String {
        if bytes >= 10 << 30 { return "\((Double(bytes) / Double(1 << 30)).fixed(1)) GiB" }
        return bytes >= 10 << 20 ? "\(bytes >> 20) MiB" : "\(bytes >> 10) KiB"
    }
}
