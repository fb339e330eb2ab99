package import NIOCore

/// Cuts a byte stream into server-sent events (WHATWG HTML, section 9.2), whatever way the network splits it. Only the
/// `data` field matters to the APIs we speak; comments and other fields are skipped.
package struct EventReader {
    private var line: [UInt8] = []
    private var data: [UInt8]?
    private var lastWasCarriageReturn = false

    package init() {}

    /// - Returns: the data of the events that became complete, in order.
    package mutating func append(_ buffer: ByteBuffer) -> [[UInt8]] {
        var events: [[UInt8]] = []
        for byte in buffer.readableBytesView {
            defer { lastWasCarriageReturn = byte == UInt8(ascii: "\r") }
            switch byte {
            case UInt8(ascii: "\n") where lastWasCarriageReturn: continue
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                if let event = endLine() { events.append(event) }
            default: line.append(byte)
            }
        }
        return events
    }

    /// An empty line ends an event.
    private mutating func endLine() -> [UInt8]? {
        defer { line.removeAll(keepingCapacity: true) }
        if line.isEmpty {
            defer { data = nil }
            return data
        }
        let name = Array("data:".utf8)
        guard line.starts(with: name) else { return nil }
        var value = line[name.count...]
        if value.first == UInt8(ascii: " ") { value.removeFirst() }
        if data == nil { data = Array(value) } else { data?.append(contentsOf: [UInt8(ascii: "\n")] + value) }
        return nil
    }
}
