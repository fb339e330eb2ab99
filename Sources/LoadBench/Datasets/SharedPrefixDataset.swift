import Glibc
import Statistics

/// SGLang's `generated-shared-prefix`: groups of prompts that begin with the same random system prompt.
package struct SharedPrefixDataset: Sendable {
    package enum Distribution: Sendable, Equatable {
        /// Every group gets as many prompts.
        case uniform
        /// The group of rank r (from 1) is drawn with a weight of `1 / r^alpha`.
        case zipf(alpha: Double)
    }

    package var groups = 64
    package var promptsPerGroup = 16
    package var systemLength = 2048
    package var questionLength = 128
    package var outputLength = 256
    package var rangeRatio = 1.0
    package var turns = 1
    /// Group after group; otherwise shuffled.
    package var ordered = false
    package var distribution = Distribution.uniform
    package var asTokens = false

    package init() {}

    package func items(codec: PromptCodec, seed: UInt64) -> [WorkItem] {
        var random = RandomSource(seed: seed)
        let systems = (0..<groups).map { _ in
            codec.randomIDs(random.length(full: systemLength, ratio: rangeRatio), &random)
        }
        let systemTexts = asTokens ? [] : systems.map(codec.decode)
        // Which group a slot asks is drawn apart, so that questions are the same under either distribution.
        var groupRandom = RandomSource(seed: seed ^ 0x5A5A_0002)
        var items: [WorkItem] = []
        for slot in 0..<groups * promptsPerGroup {
            let group = drawGroup(slot: slot, &groupRandom)
            let questions = (0..<max(1, turns)).map { _ in
                codec.randomIDs(random.length(full: questionLength, ratio: rangeRatio), &random)
            }
            let output = random.length(full: outputLength, ratio: rangeRatio)
            if asTokens {
                let ids = systems[group] + questions[0]
                items.append(WorkItem(prompt: .tokens(ids), promptTokens: ids.count, outputTokens: output))
                continue
            }
            let first = systemTexts[group] + "\n\n" + codec.decode(questions[0])
            let prompt: WorkItem.Prompt =
                turns > 1 ? .rounds([first] + questions.dropFirst().map(codec.decode)) : .text(first)
            items.append(
                WorkItem(
                    prompt: prompt, promptTokens: codec.encode(first).count + codec.addedTokens, outputTokens: output))
        }
        if !ordered { items.shuffle(using: &random) }
        return items
    }

    private func drawGroup(slot: Int, _ random: inout RandomSource) -> Int {
        guard case .zipf(let alpha) = distribution else { return slot / promptsPerGroup }
        let weights = Self.zipfWeights(groups, alpha: alpha)
        var rest = random.unit() * weights.reduce(0, +)
        for (group, weight) in weights.enumerated() {
            rest -= weight
            if rest <= 0 { return group }
        }
        return groups - 1
    }

    static func zipfWeights(_ count: Int, alpha: Double) -> [Double] {
        (1...max(1, count)).map { pow(Double($0), -alpha) }
    }
}
