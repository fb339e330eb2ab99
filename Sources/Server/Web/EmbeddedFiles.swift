import CEmbedded

/// The files that the binary carries for browsers.
enum EmbeddedFiles {
    static func all() -> [(name: String, bytes: [UInt8])] {
        (0..<cembedded_web_count()).map { index in
            let file = cembedded_web_file(index)
            return (String(cString: file.name), Array(UnsafeBufferPointer(start: file.bytes, count: file.count)))
        }
    }
}
