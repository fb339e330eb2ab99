import Synchronization

/// Compiled grammars by what they were compiled from, the least recently used dropped beyond a number of bytes. A key
/// that many ask for at once is compiled once; a compilation that nobody waits for any more is cancelled.
package final class GrammarCache<Key: Hashable & Sendable>: Sendable {
    private struct Entry {
        var grammar: CompiledGrammar
        var use: UInt64
    }

    private struct Pending {
        var task: Task<CompiledGrammar, any Error>
        var waiters: Int
    }

    private enum Found {
        case ready(CompiledGrammar)
        case pending(Task<CompiledGrammar, any Error>)
    }

    private struct Contents {
        var entries: [Key: Entry] = [:]
        var pending: [Key: Pending] = [:]
        var clock: UInt64 = 0
        var hits: UInt64 = 0
        var misses: UInt64 = 0
    }

    /// What a cache has done so far.
    package struct Statistics: Equatable, Sendable {
        package var entries: Int
        package var bytes: Int
        package var hits: UInt64
        package var misses: UInt64
    }

    private let maximumBytes: Int
    private let contents = Mutex(Contents())

    package init(maximumBytes: Int) { self.maximumBytes = maximumBytes }

    /// The grammar of `key`, compiled by `compile` on another thread if it is not there. Failures are not kept.
    /// - Parameter compile: may ask `Task.isCancelled`; the library's own long loops do.
    /// - Throws: what `compile` throws; `GrammarError.cancelled` when the caller's task is cancelled.
    package func grammar(
        _ key: Key, compile: @escaping @Sendable () throws -> CompiledGrammar
    ) async throws -> CompiledGrammar {
        let found: Found = contents.withLock { contents in
            contents.clock += 1
            if let entry = contents.entries[key] {
                contents.hits += 1
                contents.entries[key]?.use = contents.clock
                return .ready(entry.grammar)
            }
            if let pending = contents.pending[key] {
                contents.hits += 1
                contents.pending[key]?.waiters += 1
                return .pending(pending.task)
            }
            contents.misses += 1
            let task = Task.detached { try compile() }
            contents.pending[key] = Pending(task: task, waiters: 1)
            return .pending(task)
        }
        switch found {
        case .ready(let grammar): return grammar
        case .pending(let task):
            return try await withTaskCancellationHandler {
                let result = await task.result
                if Task.isCancelled { throw GrammarError.cancelled }
                let grammar: CompiledGrammar
                do { grammar = try result.get() } catch {
                    forget(key, task)
                    throw error
                }
                keep(key, grammar, task)
                return grammar
            } onCancel: {
                abandon(key, task)
            }
        }
    }

    /// Drops everything that is not being compiled.
    package func removeAll() { contents.withLock { $0.entries = [:] } }

    package var statistics: Statistics {
        contents.withLock { contents in
            Statistics(
                entries: contents.entries.count,
                bytes: contents.entries.values.reduce(0) { $0 + $1.grammar.byteCount },
                hits: contents.hits, misses: contents.misses)
        }
    }

    private func keep(_ key: Key, _ grammar: CompiledGrammar, _ task: Task<CompiledGrammar, any Error>) {
        contents.withLock { contents in
            guard contents.pending[key]?.task == task else { return }
            contents.pending[key] = nil
            contents.clock += 1
            contents.entries[key] = Entry(grammar: grammar, use: contents.clock)
            var sizes = contents.entries.mapValues { $0.grammar.byteCount }
            var total = sizes.values.reduce(0, +)
            while total > maximumBytes, contents.entries.count > 1,
                let oldest = contents.entries.min(by: { $0.value.use < $1.value.use })?.key
            {
                total -= sizes.removeValue(forKey: oldest) ?? 0
                contents.entries[oldest] = nil
            }
        }
    }

    private func forget(_ key: Key, _ task: Task<CompiledGrammar, any Error>) {
        contents.withLock { contents in
            if contents.pending[key]?.task == task { contents.pending[key] = nil }
        }
    }

    private func abandon(_ key: Key, _ task: Task<CompiledGrammar, any Error>) {
        contents.withLock { contents in
            guard var pending = contents.pending[key], pending.task == task else { return }
            pending.waiters -= 1
            contents.pending[key] = pending.waiters == 0 ? nil : pending
            if pending.waiters == 0 { task.cancel() }
        }
    }
}
