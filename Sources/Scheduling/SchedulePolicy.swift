/// Order in which waiting requests are admitted; the names are SGLang's.
package enum SchedulePolicy: String, Sendable, CaseIterable {
    /// Longest cached prefix first; where pages are short, what would be evicted next before what is safe. With
    /// priorities and ageing.
    case lpm
    /// By subtrees of the prefix cache, the one with most waiting requests first; with priorities and ageing.
    case depthFirstWeight = "dfs-weight"
    /// First come, first served.
    case fcfs
    /// Longest output first, by the request's limit; with priorities and ageing.
    case lof
    /// Highest response ratio first: (waited + work) / work, the work being the prompt tokens that are not cached.
    /// With priorities and ageing.
    case hrrn
    /// Fewest prompt tokens to compute first, cached ones not counted; with priorities and ageing.
    case shortestPrefillFirst = "shortest-prefill-first"
    /// Anyhow, but reproducibly; with priorities and ageing.
    case random
    /// Larger priority first, then first come, first served. Strict: low priorities may starve.
    case priority
}
