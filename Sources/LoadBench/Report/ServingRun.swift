package import WireTypes

/// A finished run with everything that is told about it.
package struct ServingRun: Sendable {
    /// The flags that go into the result file, by SGLang's names.
    package struct Arguments: Sendable {
        package var tag: String?
        package var backend: ServingBackend
        package var datasetName: String
        /// Infinite: all at once. Nil: the times of a trace.
        package var requestRate: Double?
        package var maxConcurrency: Int?
        package var sharegptOutputLength: Int?
        package var randomInputLength = 1024
        package var randomOutputLength = 1024
        package var randomRangeRatio = 0.0
        package var promptCount = 1000
        package var seed = 42

        package init(backend: ServingBackend, datasetName: String) {
            self.backend = backend
            self.datasetName = datasetName
        }

        /// As Python prints the rate.
        var requestRateText: String {
            guard let requestRate else { return "trace" }
            if requestRate.isInfinite { return "inf" }
            return "\(requestRate)"
        }
    }

    package var arguments: Arguments
    package var outcomes: [RequestOutcome]
    package var summary: ServingSummary
    package var goodput: Goodput?
    package var overhead: ClientOverhead
    package var cache: CacheState
    /// An earlier run whose prompts the server may still have.
    package var sharedPrompts: PromptHistory.Overlap?
    package var serverInformation: JSONValue
    package var acceptLength: Double?
    /// Whether `--cache-report` was given.
    package var reportsCache = false

    package init(
        arguments: Arguments, outcomes: [RequestOutcome], summary: ServingSummary, overhead: ClientOverhead,
        cache: CacheState, serverInformation: JSONValue
    ) {
        self.arguments = arguments
        self.outcomes = outcomes
        self.summary = summary
        self.overhead = overhead
        self.cache = cache
        self.serverInformation = serverInformation
    }
}
