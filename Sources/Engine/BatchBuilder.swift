package import Compute
package import Scheduling

/// Lays the entries of a plan one below the other: ids of a plan in, rows of a batch out.
package enum BatchBuilder {
    /// Fills `context`, reusing its storage.
    package static func fill(_ context: inout ForwardContext, from plan: StepPlan) {
        context.tokens.removeAll(keepingCapacity: true)
        context.positions.removeAll(keepingCapacity: true)
        context.sequences.removeAll(keepingCapacity: true)
        context.pageTable.removeAll(keepingCapacity: true)
        context.sampledRows.removeAll(keepingCapacity: true)
        for entry in plan.entries {
            context.sequences.append(
                SequenceSpan(
                    firstRow: context.tokens.count, rowCount: entry.tokens.count,
                    startPosition: entry.startPosition, firstPage: context.pageTable.count,
                    pageCount: entry.pages.count, sharedPages: entry.sharedPages))
            for offset in entry.scored { context.sampledRows.append(Int32(context.tokens.count + offset)) }
            context.tokens.append(contentsOf: entry.tokens)
            for offset in entry.tokens.indices {
                context.positions.append(Int32(entry.startPosition + offset))
            }
            context.pageTable.append(contentsOf: entry.pages)
            if entry.samples { context.sampledRows.append(Int32(context.tokens.count - 1)) }
        }
    }
}
