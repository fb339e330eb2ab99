import CKernels

/// The tasks of one attention region. How work is cut and what is done together depends on the threads and on the
/// sequences of the batch, results do not (see ck_attention.h).
package struct AttentionPlan {
    /// Of a sequence alone longest first, so that the last ones to be taken are short.
    private(set) var tasks: [ck_attention_task] = []
    /// Tasks whose splits were given to several others: to be merged after the region.
    private(set) var whole: [ck_attention_task] = []
    private var shape = AttentionShape(heads: 1, keyValueHeads: 1, headDimension: 8, scale: 1)
    /// States in use, and how many there is room for.
    private var states = 0
    private var stateCapacity = 0

    private static let split = CK_SPLIT_TOKENS

    /// Where the states of several sequences' queries are: for each kv head [split][query].
    private struct StateTable {
        var base: Int
        var splits: Int
        var queries: Int

        func state(head: Int, split: Int, query: Int) -> Int64 {
            Int64(base + (head * splits + split) * queries + query)
        }
    }

    package init() {}

    /// Splits of a kv head that are gone through, each as often as it is.
    package var passes: Int { tasks.reduce(0) { $0 + Int($1.split_count) } }

    /// - Parameter stateCapacity: split states there is room for.
    package mutating func make(
        _ context: ForwardContext, _ shape: AttentionShape, pageSize: Int, threads: Int, stateCapacity: Int
    ) {
        tasks.removeAll(keepingCapacity: true)
        whole.removeAll(keepingCapacity: true)
        (self.shape, self.stateCapacity, states) = (shape, stateCapacity, 0)
        precondition(shape.isCausal || shape.window == nil, "a window looks back only")
        for sequence in context.sequences {
            precondition(sequence.startPosition + sequence.rowCount <= sequence.pageCount * pageSize)
            precondition(sequence.firstRow + sequence.rowCount <= context.rowCount)
            precondition(sequence.firstPage + sequence.pageCount <= context.pageTable.count)
            precondition(sequence.sharedPages <= sequence.pageCount)
        }
        var sequences = context.sequences[...]
        while !sequences.isEmpty {
            var count = 1
            if shape.isCausal, shape.window == nil {
                while count < sequences.count, commonSplits(sequences.prefix(count + 1).suffix(2), pageSize) > 0 {
                    count += 1
                }
            }
            let sharers = sequences.prefix(count)
            sequences = sequences.dropFirst(count)
            if count == 1 || !share(sharers, pageSize) {
                for sequence in sharers { addTasks(sequence, firstSplit: 0) }
            }
        }
        if threads > 1 {
            cut(share: tasks.reduce(0) { $0 + Self.cost($1) } / (4 * threads))
        }
    }

    private var group: Int { shape.heads / shape.keyValueHeads }

    // MARK: Sequences alone

    /// The tasks of one sequence from `firstSplit` on. If that is not its first one, the others put the states of the
    /// splits before into `table`, where the sequence's queries begin at `offset`.
    private mutating func addTasks(
        _ sequence: SequenceSpan, firstSplit: Int, in table: StateTable? = nil, offset: Int = 0
    ) {
        let length = sequence.startPosition + sequence.rowCount
        let window = shape.window ?? Int.max
        let queries = sequence.rowCount * group
        let size = Self.blockSize(queries)
        for from in stride(from: 0, to: queries, by: size).reversed() {
            let to = min(from + size, queries)
            let first = max(0, sequence.startPosition + from / group - (window - 1))
            let last = shape.isCausal ? sequence.startPosition + (to - 1) / group : length - 1
            let begin = max(firstSplit, first / Self.split)
            let end = last / Self.split + 1
            for head in 0..<shape.keyValueHeads {
                var task = ck_attention_task(
                    kv_head: Int32(head), first_row: Int32(sequence.firstRow),
                    start_position: Int32(sequence.startPosition), first_page: Int32(sequence.firstPage),
                    begin: Int32(from), end: Int32(to), first_split: Int32(begin), split_count: Int32(end - begin),
                    sees: shape.isCausal ? -1 : Int32(length - 1),
                    partial_stride: 0, partial: -1)
                if let table {
                    task.partial_stride = Int32(table.queries)
                    task.partial = table.state(head: head, split: 0, query: offset + from)
                    task.split_count = Int32(end)
                    whole.append(task)
                    task.partial = table.state(head: head, split: begin, query: offset + from)
                    task.split_count = Int32(end - begin)
                }
                tasks.append(task)
            }
        }
    }

    /// Even blocks, in sixes: so many queries share a load of keys.
    private static func blockSize(_ queries: Int) -> Int {
        let most = CK_ATTENTION_ROWS
        let count = (queries + most - 1) / most
        return min(most, (queries + 6 * count - 1) / (6 * count) * 6)
    }

    // MARK: Sequences that share splits

    /// Whole splits that neighbouring sequences have in common from position 0 on, before the rows of any of them.
    private func commonSplits(_ sequences: ArraySlice<SequenceSpan>, _ pageSize: Int) -> Int {
        var tokens = Int.max
        for index in sequences.indices {
            tokens = min(tokens, sequences[index].startPosition)
            guard index > sequences.startIndex else { continue }
            let before = sequences[index - 1]
            guard before.firstRow + before.rowCount == sequences[index].firstRow else { return 0 }
            tokens = min(tokens, sequences[index].sharedPages * pageSize)
        }
        return tokens / Self.split
    }

    /// Plans neighbours that have at least their first split in common.
    /// - Returns: false, and does nothing, if it does not pay or there is no room for their states.
    private mutating func share(_ sequences: ArraySlice<SequenceSpan>, _ pageSize: Int) -> Bool {
        guard pays(sequences) else { return false }
        let table = StateTable(
            base: states,
            splits: sequences.reduce(0) { max($0, ($1.startPosition + $1.rowCount - 1) / Self.split + 1) },
            queries: sequences.reduce(0) { $0 + $1.rowCount } * group)
        let needed = shape.keyValueHeads * table.splits * table.queries
        guard states + needed <= stateCapacity else { return false }
        states += needed
        addShared(sequences, firstSplit: 0, pageSize, in: table, firstRow: sequences[sequences.startIndex].firstRow)
        return true
    }

    /// The splits that all of `sequences` have in common from `firstSplit` on, then those that fewer of them share.
    private mutating func addShared(
        _ sequences: ArraySlice<SequenceSpan>, firstSplit: Int, _ pageSize: Int, in table: StateTable, firstRow: Int
    ) {
        let first = sequences[sequences.startIndex]
        let offset = (first.firstRow - firstRow) * group
        guard sequences.count > 1, pays(sequences) else {
            for sequence in sequences {
                addTasks(
                    sequence, firstSplit: firstSplit, in: table, offset: (sequence.firstRow - firstRow) * group)
            }
            return
        }
        let common = commonSplits(sequences, pageSize)
        let queries = sequences.reduce(0) { $0 + $1.rowCount } * group
        let size = Self.blockSize(queries)
        for head in 0..<shape.keyValueHeads {
            // A split's blocks one after the other: it is read from memory for the first, from a cache for the others.
            for split in firstSplit..<common {
                for begin in stride(from: 0, to: queries, by: size) {
                    tasks.append(
                        ck_attention_task(
                            kv_head: Int32(head), first_row: Int32(first.firstRow), start_position: 0,
                            first_page: Int32(first.firstPage), begin: Int32(begin),
                            end: Int32(min(begin + size, queries)), first_split: Int32(split), split_count: 1,
                            sees: Int32(common * Self.split - 1), partial_stride: Int32(table.queries),
                            partial: table.state(head: head, split: split, query: offset + begin)))
                }
            }
        }
        var begin = sequences.startIndex
        for index in sequences.indices.dropFirst() + [sequences.endIndex] {
            if index < sequences.endIndex, commonSplits(sequences[index - 1...index], pageSize) > common { continue }
            addShared(sequences[begin..<index], firstSplit: common, pageSize, in: table, firstRow: firstRow)
            begin = index
        }
    }

    /// Whether one pass over a split for all queries takes less time than one for each sequence, what it costs to put
    /// the states down and merge them included.
    private func pays(_ sequences: ArraySlice<SequenceSpan>) -> Bool {
        let queries = sequences.reduce(0) { $0 + $1.rowCount } * group
        let apart = sequences.reduce(0) { $0 + Self.passCost($1.rowCount * group) }
        return apart - Self.passCost(queries) > queries / 16
    }

    // MARK: Sharing between workers

    /// Of a split, in the time of one row's arithmetic: that of few rows is bound by memory, not by rows.
    private static func passCost(_ queries: Int) -> Int { max(8, queries) }

    private static func cost(_ task: ck_attention_task) -> Int {
        Int(task.split_count) * passCost(Int(task.end - task.begin))
    }

    /// Cuts tasks dearer than `share` between splits: one decoding sequence with a long context has too few heads to
    /// occupy all workers.
    private mutating func cut(share: Int) {
        for index in tasks.indices where tasks[index].split_count > 1 && Self.cost(tasks[index]) > share {
            let splits = Int(tasks[index].split_count)
            if tasks[index].partial < 0 {
                let rows = Int(tasks[index].end - tasks[index].begin)
                if states + splits * rows > stateCapacity { return }
                tasks[index].partial = Int64(states)
                tasks[index].partial_stride = Int32(rows)
                whole.append(tasks[index])
                states += splits * rows
            }
            let task = tasks[index]
            let step = max(1, splits * share / Self.cost(task))
            for first in stride(from: 0, to: splits, by: step) {
                var piece = task
                piece.first_split += Int32(first)
                piece.split_count = Int32(min(step, splits - first))
                piece.partial += Int64(first) * Int64(task.partial_stride)
                if first == 0 { tasks[index] = piece } else { tasks.append(piece) }
            }
        }
    }
}
