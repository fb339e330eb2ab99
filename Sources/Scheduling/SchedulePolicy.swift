/// Order in which waiting requests are admitted; the names are SGLang's.
package enum SchedulePolicy: String, Sendable, CaseIterable {
    /// Longest cached prefix first, so that what is cached is used before it is evicted; with priorities and ageing.
    case lpm
    /// By subtrees of the prefix cache, the one with most waiting requests first; with priorities and ageing.
    case depthFirstWeight = "dfs-weight"
    /// First come, first served.
    case fcfs
    /// Longest output first, by the request's limit; with priorities and ageing.
    case lof
    /// Anyhow, but reproducibly; with priorities and ageing.
    case random
    /// Larger priority first, then first come, first served. Strict: low priorities may starve.
    case priority
}
