import Server
import Testing
import WireTypes

/// What sessions remember stays within its bounds.
struct SessionStoreTests {
    private static func reference(_ id: String, _ request: String) throws -> SessionReference {
        try SessionReference(
            JSONFields(root: .object(JSONObject([("id", .string(id)), ("rid", .string(request))]))))
    }

    private static func add(_ name: String, to session: String, tokens: Int, _ store: SessionStore) {
        store.add(name, to: session, parent: nil, prompt: Array(repeating: 1, count: tokens - 1), output: [2])
    }

    @Test func theLongestUnusedSessionForgetsFirst() throws {
        let store = SessionStore(tokenLimit: 100)
        #expect(store.open("a", streams: false) && store.open("b", streams: false) && !store.open("a", streams: true))
        Self.add("a1", to: "a", tokens: 40, store)
        Self.add("b1", to: "b", tokens: 40, store)
        // Used again, so that the other one has to make room.
        #expect(try store.prompt(Self.reference("a", "a1"), [3], begin: nil).tokens.count == 41)
        Self.add("a2", to: "a", tokens: 40, store)
        #expect(throws: FieldError.self) { try store.prompt(Self.reference("b", "b1"), [3], begin: nil) }
        #expect(try store.prompt(Self.reference("a", "a1"), [3], begin: nil).tokens.count == 41)
        // Within a session the oldest goes first.
        Self.add("a3", to: "a", tokens: 40, store)
        #expect(throws: FieldError.self) { try store.prompt(Self.reference("a", "a1"), [3], begin: nil) }
        #expect(try store.prompt(Self.reference("a", "a3"), [3], begin: nil).parent == "a3")
    }

    @Test func requestsAndSessionsAreCounted() throws {
        let store = SessionStore()
        for number in 0..<300 { #expect(store.open("s\(number)", streams: false)) }
        #expect(throws: FieldError.self) { try store.prompt(Self.reference("s0", "x"), [1], begin: nil) }
        for number in 0..<70 { Self.add("r\(number)", to: "s299", tokens: 2, store) }
        #expect(throws: FieldError.self) { try store.prompt(Self.reference("s299", "r5"), [1], begin: nil) }
        #expect(try store.prompt(Self.reference("s299", "r6"), [3], begin: nil).tokens == [1, 2, 3])
    }
}
