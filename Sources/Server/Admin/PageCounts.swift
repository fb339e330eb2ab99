import EngineInterface
import WireTypes

extension EngineStatistics {
    /// The pages of the KV pool by state, as every endpoint tells them.
    func writePages(to writer: inout JSONWriter) {
        writer.objectField("pages") { writer in
            writer.field("total", totalPages)
            writer.field("free", freePages)
            writer.field("cached", cachedPages)
            writer.field("leased", leasedPages)
            writer.field("pinned", pinnedPages)
            writer.field("evicted", evictedPages)
        }
    }
}
