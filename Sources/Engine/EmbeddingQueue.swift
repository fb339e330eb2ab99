import Dispatch
import EngineInterface
import Synchronization

/// What waits for an encoder: filled from any thread, emptied batch by batch by the encoder's own.
final class EmbeddingQueue: Sendable {
    /// The inputs of one call. Results are written by the encoder's thread only.
    final class Job: Sendable {
        let inputs: [EmbeddingInput]
        /// Scores instead of vectors: one number each.
        let isScoring: Bool
        private let state: Mutex<State>

        private struct State {
            var results: [[Float]]
            var remaining: Int
            var continuation: CheckedContinuation<Result<[[Float]], RequestError>, Never>?
            var isOver = false
        }

        init(_ inputs: [EmbeddingInput], isScoring: Bool) {
            self.inputs = inputs
            self.isScoring = isScoring
            state = Mutex(State(results: Array(repeating: [], count: inputs.count), remaining: inputs.count))
        }

        /// - Returns: false if the job was ended before it began.
        func begin(_ continuation: CheckedContinuation<Result<[[Float]], RequestError>, Never>) -> Bool {
            state.withLock { state in
                if state.isOver { return false }
                state.continuation = continuation
                return true
            }
        }

        func finish(_ index: Int, _ result: [Float]) {
            let done = state.withLock {
                state -> (CheckedContinuation<Result<[[Float]], RequestError>, Never>, [[Float]])? in
                if state.isOver { return nil }
                state.results[index] = result
                state.remaining -= 1
                guard state.remaining == 0, let continuation = state.continuation else { return nil }
                state.isOver = true
                return (continuation, state.results)
            }
            if let (continuation, results) = done { continuation.resume(returning: .success(results)) }
        }

        func fail(_ error: RequestError) {
            let continuation = state.withLock {
                state -> CheckedContinuation<Result<[[Float]], RequestError>, Never>? in
                if state.isOver { return nil }
                state.isOver = true
                return state.continuation
            }
            continuation?.resume(returning: .failure(error))
        }

        var isOver: Bool { state.withLock { $0.isOver } }
    }

    struct Item: Sendable {
        var job: Job
        var index: Int
        var input: EmbeddingInput { job.inputs[index] }
    }

    private struct Waiting {
        var job: Job
        var next = 0
    }

    private struct State {
        var waiting: [Waiting] = []
        var sleeping = false
        var closed = false
        var statistics = EmbeddingStatistics()
        var closers: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let wake = DispatchSemaphore(value: 0)
    private let limit: Int

    /// - Parameter limit: texts that may wait.
    init(limit: Int) { self.limit = limit }

    /// - Throws: `queueFull` or `shuttingDown`.
    func add(_ job: Job) throws(RequestError) {
        let limit = limit
        let outcome: Result<Bool, RequestError> = state.withLock { state in
            if state.closed { return .failure(.shuttingDown) }
            // A call of many texts is taken whole if anything is: half of it would be of no use.
            if state.statistics.waitingTexts >= limit { return .failure(.queueFull(limit: limit)) }
            state.waiting.append(Waiting(job: job))
            state.statistics.waitingTexts += job.inputs.count
            let wasSleeping = state.sleeping
            state.sleeping = false
            return .success(wasSleeping)
        }
        if try outcome.get() { wake.signal() }
    }

    /// The next batch; sleeps until there is one. One text of each call in turn, so that a call of thousands does not
    /// hold up the others; all of a batch are scored, or none.
    ///
    /// - Returns: nil once the queue is closed and empty.
    func next(rows: Int, texts: Int) -> [Item]? {
        while true {
            let (batch, isOver, closers) = state.withLock { state in Self.take(&state, rows: rows, texts: texts) }
            for closer in closers { closer.resume() }
            if isOver { return nil }
            if !batch.isEmpty { return batch }
            wake.wait()
        }
    }

    private static func take(
        _ state: inout State, rows: Int, texts: Int
    ) -> (batch: [Item], isOver: Bool, closers: [CheckedContinuation<Void, Never>]) {
        state.statistics.runningTexts = 0
        state.waiting.removeAll { waiting in
            guard waiting.job.isOver else { return false }
            state.statistics.waitingTexts -= waiting.job.inputs.count - waiting.next
            return true
        }
        guard let first = state.waiting.first else {
            state.sleeping = !state.closed
            let closers = state.closed ? state.closers : []
            if state.closed { state.closers = [] }
            return ([], state.closed, closers)
        }
        var batch: [Item] = []
        var room = rows
        var isFull = false
        while !isFull {
            var took = false
            for index in state.waiting.indices where state.waiting[index].job.isScoring == first.job.isScoring {
                let waiting = state.waiting[index]
                guard waiting.next < waiting.job.inputs.count else { continue }
                let count = waiting.job.inputs[waiting.next].tokens.count
                if batch.count == texts || count > room {
                    isFull = true
                    break
                }
                batch.append(Item(job: waiting.job, index: waiting.next))
                state.waiting[index].next += 1
                room -= count
                took = true
            }
            if !took { break }
        }
        // Who comes last in turn comes first the next time.
        state.waiting.removeAll { $0.next == $0.job.inputs.count }
        if state.waiting.count > 1 { state.waiting.append(state.waiting.removeFirst()) }
        state.statistics.waitingTexts -= batch.count
        state.statistics.runningTexts = batch.count
        state.statistics.texts += batch.count
        state.statistics.tokens += rows - room
        state.statistics.batches += 1
        return (batch, false, [])
    }

    var statistics: EmbeddingStatistics { state.withLock { $0.statistics } }

    /// Refuses further jobs. With a continuation: resumed when the last batch has been taken and answered.
    func close(_ closer: CheckedContinuation<Void, Never>?) {
        let (wasSleeping, wasOver) = state.withLock { state in
            let wasOver = state.closed
            state.closed = true
            if let closer, !wasOver { state.closers.append(closer) }
            defer { state.sleeping = false }
            return (state.sleeping, wasOver)
        }
        if wasOver { closer?.resume() }
        if wasSleeping { wake.signal() }
    }
}
