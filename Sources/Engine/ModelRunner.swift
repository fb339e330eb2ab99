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
    let trace: PhaseTrace

    package init(
        model: any Model, backend: any Backend, cache: KVCache, sampler: Sampler, trace: PhaseTrace = PhaseTrace()
    ) {
        self.trace = trace
        self.model = model
        self.backend = backend
        self.cache = cache
        self.sampler = sampler
    }

    /// - Returns: one sample for each entry of the plan that wants one, and the scores of prompt tokens.
    package func run(_ plan: StepPlan, scheduler: Scheduler) -> StepResult {
        let logits = trace.measure("forward", plan) { forward(plan) }
        return trace.measure("sample") { sample(plan, logits, scheduler) }
    }

    private func sample(_ plan: StepPlan, _ logits: Tensor, _ scheduler: Scheduler) -> StepResult {
        var rows: [SamplingRow] = []
        for entry in plan.entries where entry.samples || !entry.scored.isEmpty {
            let state = scheduler.samplingState(of: entry.sequence)
            for offset in entry.scored {
                rows.append(sampler.scoringRow(rows.count, token: entry.startPosition + offset + 1, state))
            }
            if entry.samples { rows.append(sampler.row(rows.count, sequence: entry.sequence, state)) }
        }
        if rows.isEmpty { return StepResult(samples: []) }
        let tokens = backend.sample(logits, rows)
        // The masks are matchers' own again.
        for index in rows.indices { rows[index].allowed = [] }
        return result(plan, rows, tokens, scheduler)
    }

    private func result(
        _ plan: StepPlan, _ rows: [SamplingRow], _ tokens: [SampledToken], _ scheduler: Scheduler
    ) -> StepResult {
        var result = StepResult(samples: [])
        var row = 0
        for entry in plan.entries {
            for _ in entry.scored {
                // What was drawn does not matter: the prompt says which token comes next.
                let asked = rows[row].scoredIDs
                let scores = tokens[row].scores
                result.scores.append(
                    GeneratedToken(
                        id: asked[0], logprob: scores[0], top: Self.top(tokens[row]),
                        asked: zip(asked, scores).dropFirst().map { TokenLogprob(id: $0, logprob: $1) }))
                row += 1
            }
            guard entry.samples else { continue }
            var token = GeneratedToken(
                id: tokens[row].id, logprob: tokens[row].logprob, top: Self.top(tokens[row]),
                asked: zip(rows[row].scoredIDs, tokens[row].scores).map { TokenLogprob(id: $0, logprob: $1) })
            if scheduler.samplingState(of: entry.sequence).sampling.returnsState {
                token.state = backend.read(model.sampledStates, row: row)
            }
            result.samples.append(followed(.init(sequence: entry.sequence, token: token), scheduler))
            row += 1
        }
        return result
    }

    /// With what a constraint says about how the text goes on.
    private func followed(_ sample: StepResult.Sample, _ scheduler: Scheduler) -> StepResult.Sample {
        let state = scheduler.samplingState(of: sample.sequence)
        guard state.constraint != nil else { return sample }
        let outcome = sampler.advance(sequence: sample.sequence, token: sample.token.id, state)
        var sample = sample
        if let replacement = outcome.replacement { sample.token = GeneratedToken(id: replacement) }
        sample.forced = outcome.forced
        sample.isComplete = outcome.isComplete
        return sample
    }

    private static func top(_ token: SampledToken) -> [TokenLogprob] {
        token.top.map { TokenLogprob(id: $0.id, logprob: $0.logprob) }
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

    /// See `KVCache.warm`.
    package func warm(beyond used: Int) -> Bool { cache.warm(beyond: used) }

    package func forget(sequence: Int) { sampler.forget(sequence: sequence) }
}
