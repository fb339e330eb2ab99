package import Compute
import EngineInterface
package import Models
package import Scheduling

/// Carries out one plan: page copies, forward pass, sampling. Confined to the engine thread.
package final class ModelRunner {
    private let model: any Model
    private let backend: any Backend
    private let cache: KVCache
    private var context = ForwardContext()
    private var sampler: Sampler

    package init(model: any Model, backend: any Backend, cache: KVCache, sampler: Sampler) {
        self.model = model
        self.backend = backend
        self.cache = cache
        self.sampler = sampler
    }

    /// - Returns: one sample for each entry of the plan that wants one.
    package func run(_ plan: StepPlan, scheduler: Scheduler) -> StepResult {
        let logits = forward(plan)
        let sampled = plan.entries.filter(\.samples)
        if sampled.isEmpty { return StepResult(samples: []) }
        var rows: [SamplingRow] = []
        rows.reserveCapacity(sampled.count)
        for (row, entry) in sampled.enumerated() {
            let state = scheduler.samplingState(of: entry.sequence)
            rows.append(sampler.row(row, sequence: entry.sequence, state))
        }
        let tokens = backend.sample(logits, rows)
        return StepResult(
            samples: zip(sampled, tokens).map { entry, token in
                .init(
                    sequence: entry.sequence,
                    token: GeneratedToken(
                        id: token.id, logprob: token.logprob,
                        top: token.top.map { TokenLogprob(id: $0.id, logprob: $0.logprob) }))
            })
    }

    /// Feeds the rows of a plan.
    /// - Returns: logits of the sampled rows, overwritten by the next call.
    package func forward(_ plan: StepPlan) -> Tensor {
        for copy in plan.copies {
            backend.copyPage(cache, from: copy.source, to: copy.destination, tokens: copy.tokens)
        }
        BatchBuilder.fill(&context, from: plan)
        return model.forward(context, cache: cache)
    }

    package func forget(sequence: Int) { sampler.forget(sequence: sequence) }
}
