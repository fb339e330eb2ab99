import Synchronization
package import WireTypes

/// Responses that a later request may name, in memory only, within bounds.
package final class ResponseStore: Sendable {
    package struct Entry: Sendable {
        /// The response object.
        var json: [UInt8]
        var items: [JSONValue]
        /// The conversation up to and with this response, without instructions.
        var messages: [JSONValue]
        /// About what it takes in memory.
        var bytes: Int

        package init(json: [UInt8], items: [JSONValue], messages: [JSONValue], bytes: Int) {
            self.json = json
            self.items = items
            self.messages = messages
            self.bytes = bytes
        }
    }

    fileprivate struct State {
        var entries: [String: Entry] = [:]
        /// Oldest first.
        var order: [String] = []
        var bytes = 0
    }

    private let countLimit: Int
    private let byteLimit: Int
    private let state = Mutex(State())

    package init(countLimit: Int = 4096, byteLimit: Int = 128 << 20) {
        self.countLimit = countLimit
        self.byteLimit = byteLimit
    }

    package func add(_ id: String, _ entry: Entry) {
        state.withLock { state in
            state.remove(id)
            state.entries[id] = entry
            state.order.append(id)
            state.bytes += entry.bytes
            while state.order.count > countLimit || state.bytes > byteLimit, let oldest = state.order.first {
                state.remove(oldest)
            }
        }
    }

    package func entry(_ id: String) -> Entry? { state.withLock { $0.entries[id] } }

    /// - Returns: false if there is none with this id.
    package func remove(_ id: String) -> Bool {
        state.withLock { state in
            guard state.entries[id] != nil else { return false }
            state.remove(id)
            return true
        }
    }
}

extension ResponseStore.State {
    fileprivate mutating func remove(_ id: String) {
        guard let entry = entries.removeValue(forKey: id) else { return }
        bytes -= entry.bytes
        order.removeAll { $0 == id }
    }
}
