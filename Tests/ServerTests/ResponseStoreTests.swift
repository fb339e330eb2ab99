import Server
import Testing

/// What is remembered of responses stays within its bounds.
struct ResponseStoreTests {
    private static func entry(bytes: Int) -> ResponseStore.Entry {
        .init(json: [], items: [], messages: [], bytes: bytes)
    }

    @Test func theOldestIsForgottenBeyondTheCount() {
        let store = ResponseStore(countLimit: 3, byteLimit: 1000)
        for id in ["a", "b", "c", "d"] { store.add(id, Self.entry(bytes: 1)) }
        #expect(store.entry("a") == nil)
        #expect(["b", "c", "d"].allSatisfy { store.entry($0) != nil })
        // Added again it is the newest.
        store.add("b", Self.entry(bytes: 1))
        store.add("e", Self.entry(bytes: 1))
        #expect(store.entry("c") == nil && store.entry("b") != nil)
    }

    @Test func theOldestAreForgottenBeyondTheBytes() {
        let store = ResponseStore(countLimit: 100, byteLimit: 1000)
        store.add("a", Self.entry(bytes: 400))
        store.add("b", Self.entry(bytes: 400))
        store.add("c", Self.entry(bytes: 700))
        #expect(store.entry("a") == nil && store.entry("b") == nil && store.entry("c") != nil)
        // What is removed makes room; what is larger than everything is not kept at all.
        #expect(store.remove("c") && !store.remove("c"))
        store.add("d", Self.entry(bytes: 1000))
        #expect(store.entry("d") != nil)
        store.add("e", Self.entry(bytes: 1001))
        #expect(store.entry("d") == nil && store.entry("e") == nil)
    }
}
