import Glibc
import TextGeneration

/// Standard input and output of the interactive commands.
enum StandardStreams {
    /// Written and flushed at once, so that a streamed answer is seen as it comes.
    static func write(_ text: String) {
        Swift.print(text, terminator: "")
        flush()
    }

    /// Swift imports the C streams as shared mutable state; all of them can be flushed without naming one.
    static func flush() { fflush(nil) }

    /// Remarks that are not part of the answer go to standard error.
    static func note(_ text: String) {
        let bytes = Array(text.utf8)
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if count <= 0 { return }
            written += count
        }
    }

    static func readAll() -> String {
        var text = ""
        while let line = readLine(strippingNewline: false) { text += line }
        return text
    }

    /// Prints pieces as they come.
    /// - Returns: how the stream ended; nil if it was cut.
    @discardableResult
    static func print(_ events: AsyncStream<TextEvent>) async -> TextFinish? {
        await forEachPiece(of: events) { write($0) }
    }

    static func forEachPiece(of events: AsyncStream<TextEvent>, _ body: (String) -> Void) async -> TextFinish? {
        for await event in events {
            switch event {
            case .started: break
            case .delta(let delta): if !delta.text.isEmpty { body(delta.text) }
            case .finished(let finish): return finish
            }
        }
        return nil
    }
}

extension String {
    /// Without spaces and line ends at both ends.
    var trimmed: String {
        var view = self[...]
        while let first = view.first, first.isWhitespace { view.removeFirst() }
        while let last = view.last, last.isWhitespace { view.removeLast() }
        return String(view)
    }
}
