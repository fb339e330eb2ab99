import Engine
import Glibc
import Models
import Synchronization

/// Shows loading on standard error: one line that fills up on a terminal, few plain lines elsewhere.
final class TerminalProgress: Sendable {
    private let isTerminal = isatty(STDERR_FILENO) != 0
    private let lastPercent = Mutex(-1)

    func show(_ stage: EngineLoader.Stage) {
        switch stage {
        case .weights(let progress):
            // What is loaded in an instant needs no line in a log.
            guard isTerminal || progress.totalBytes > 256 << 20 else { return }
            let percent = progress.totalBytes == 0 ? 100 : progress.loadedBytes * 100 / progress.totalBytes
            let line = lastPercent.withLock { last -> String? in
                // A terminal gets each percent, a log file each quarter.
                guard isTerminal ? percent != last : percent / 25 != last / 25 else { return nil }
                last = percent
                return "loading weights \(percent)% of \(progress.totalBytes >> 20) MiB"
            }
            if let line { write(isTerminal ? "\r\u{1B}[K" + line : line + "\n") }
        case .note(let sentence): write((isTerminal ? "\r\u{1B}[K" : "") + sentence + "\n")
        case .selfCheck: if isTerminal { write("\r\u{1B}[Kchecking the model") }
        case .ready: if isTerminal { write("\r\u{1B}[K") }
        }
    }

    private func write(_ text: String) { StandardStreams.note(text) }
}
