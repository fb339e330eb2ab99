package import EngineInterface

/// What came out of a step: one token for each entry that samples, in the order of the plan's entries.
package struct StepResult: Sendable, Equatable {
    package struct Sample: Sendable, Equatable {
        package var sequence: Int
        package var token: GeneratedToken
        /// Tokens that must follow it: they are appended as if they had been sampled.
        package var forced: [Int32]
        /// Nothing may follow any more.
        package var isComplete: Bool

        package init(sequence: Int, token: GeneratedToken, forced: [Int32] = [], isComplete: Bool = false) {
            self.sequence = sequence
            self.token = token
            self.forced = forced
            self.isComplete = isComplete
        }
    }
    package var samples: [Sample]
    /// Prompt tokens that were scored, of all entries one after the other.
    package var scores: [GeneratedToken]

    package init(samples: [Sample], scores: [GeneratedToken] = []) {
        self.samples = samples
        self.scores = scores
    }
}

/// What the scheduler wants told to the owner of a sequence; `Engine` forwards it to the request's stream.
package struct SchedulerEvent: Sendable, Equatable {
    package var sequence: Int
    package var requestID: String
    package var event: GenerationEvent

    package init(sequence: Int, requestID: String, event: GenerationEvent) {
        self.sequence = sequence
        self.requestID = requestID
        self.event = event
    }
}
