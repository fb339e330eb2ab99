import Grammar
import Synchronization
import Testing

struct GrammarCacheTests {
    static let vocabulary = TestVocabulary.make(["ab"])

    static func compile(_ text: String) throws -> CompiledGrammar {
        var builder = GrammarBuilder()
        let root = builder.text(text)
        return try CompiledGrammar(GrammarIR(builder: builder, root: root), vocabulary: vocabulary)
    }

    final class Counter: Sendable {
        let value = Mutex(0)
    }

    @Test func aKeyIsCompiledOnceForAllWhoWait() async throws {
        let cache = GrammarCache<String>(maximumBytes: 1 << 20)
        let compilations = Counter()
        let grammars = try await withThrowingTaskGroup(of: ObjectIdentifier.self) { group in
            for _ in 0..<32 {
                group.addTask {
                    let grammar = try await cache.grammar("key") {
                        compilations.value.withLock { $0 += 1 }
                        return try Self.compile("text")
                    }
                    return ObjectIdentifier(grammar)
                }
            }
            var found: Set<ObjectIdentifier> = []
            for try await one in group { found.insert(one) }
            return found
        }
        #expect(grammars.count == 1)
        #expect(compilations.value.withLock { $0 } == 1)
        #expect(cache.statistics.misses == 1)
        #expect(cache.statistics.hits == 31)
    }

    @Test func failuresAreThrownAndNotKept() async throws {
        let cache = GrammarCache<Int>(maximumBytes: 1 << 20)
        await #expect(throws: GrammarError.unsatisfiable) {
            _ = try await cache.grammar(1) { throw GrammarError.unsatisfiable }
        }
        let grammar = try await cache.grammar(1) { try Self.compile("a") }
        #expect(grammar.makeMatcher().forcedBytes() == Array("a".utf8))
        #expect(cache.statistics.entries == 1)
    }

    @Test func theLeastRecentlyUsedGoFirst() async throws {
        let one = try Self.compile("text 0").byteCount
        let cache = GrammarCache<Int>(maximumBytes: one * 4)
        for key in [0, 1, 2, 0, 3, 0, 4, 5, 0] { _ = try await cache.grammar(key) { try Self.compile("text \(key)") } }
        let before = cache.statistics
        #expect(before.entries <= 4)
        _ = try await cache.grammar(0) { try Self.compile("text 0") }
        #expect(cache.statistics.hits == before.hits + 1)
        _ = try await cache.grammar(1) { try Self.compile("text 1") }
        #expect(cache.statistics.misses == before.misses + 1)
    }

    @Test func aCompilationThatNobodyWaitsForIsCancelled() async throws {
        let cache = GrammarCache<Int>(maximumBytes: 1 << 20)
        let (started, start) = AsyncStream<Void>.makeStream()
        let (ended, end) = AsyncStream<Bool>.makeStream()
        let waiter = Task {
            try await cache.grammar(1) {
                start.yield()
                while !Task.isCancelled {}
                end.yield(true)
                throw GrammarError.cancelled
            }
        }
        for await _ in started { break }
        waiter.cancel()
        for await cancelled in ended {
            #expect(cancelled)
            break
        }
        await #expect(throws: GrammarError.cancelled) { _ = try await waiter.value }
    }
}
