import EngineInterface
import Testing

/// Every surface refuses the same values with the same words.
struct SamplingParametersTests {
    @Test func defaultsAreValid() throws {
        #expect(try SamplingParameters().validated(vocabularySize: 10) == SamplingParameters())
    }

    @Test func greedyAndTheEdgesOfEachRangeAreValid() throws {
        var parameters = SamplingParameters()
        parameters.temperature = 0
        parameters.topK = -1
        parameters.topP = 1
        parameters.minP = 1
        parameters.frequencyPenalty = -2
        parameters.presencePenalty = 2
        parameters.repetitionPenalty = 2
        parameters.logitBias = [9: -100, 0: 100]
        parameters.maxTokens = 1
        parameters.minTokens = 1
        parameters.stopTokenIDs = [0, 9]
        parameters.topLogprobs = 20
        _ = try parameters.validated(vocabularySize: 10)
    }

    struct Spoiled: Sendable, CustomStringConvertible {
        var field: String
        var spoil: @Sendable (inout SamplingParameters) -> Void

        init(_ field: String, _ spoil: @escaping @Sendable (inout SamplingParameters) -> Void) {
            self.field = field
            self.spoil = spoil
        }

        var description: String { field }
    }

    @Test(arguments: [
        Spoiled("temperature", { $0.temperature = -0.1 }),
        Spoiled("temperature", { $0.temperature = .nan }),
        Spoiled("temperature", { $0.temperature = .infinity }),
        Spoiled("top_p", { $0.topP = 0 }),
        Spoiled("top_p", { $0.topP = 1.01 }),
        Spoiled("top_p", { $0.topP = .nan }),
        Spoiled("top_k", { $0.topK = -2 }),
        Spoiled("min_p", { $0.minP = -0.1 }),
        Spoiled("frequency_penalty", { $0.frequencyPenalty = 2.1 }),
        Spoiled("presence_penalty", { $0.presencePenalty = -2.1 }),
        Spoiled("repetition_penalty", { $0.repetitionPenalty = 0 }),
        Spoiled("max_tokens", { $0.maxTokens = -1 }),
        Spoiled("token_ids_logprob", { $0.logprobTokenIDs = [10] }),
        Spoiled("min_tokens", { $0.minTokens = -1 }),
        Spoiled("min_tokens", { ($0.maxTokens, $0.minTokens) = (3, 4) }),
        Spoiled("logit_bias", { $0.logitBias = [10: 1] }),
        Spoiled("logit_bias", { $0.logitBias = [1: 101] }),
        Spoiled("stop_token_ids", { $0.stopTokenIDs = [-1] }),
        Spoiled("top_logprobs", { $0.topLogprobs = 21 }),
    ])
    func valuesOutOfRangeNameTheField(_ spoiled: Spoiled) {
        let field = spoiled.field
        var parameters = SamplingParameters()
        spoiled.spoil(&parameters)
        do {
            _ = try parameters.validated(vocabularySize: 10)
            Issue.record("\(field) was accepted")
        } catch {
            guard case .invalidParameter(let named, _, _) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(named == field)
        }
    }
}
