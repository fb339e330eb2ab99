import Glibc

/// How a router's scores become experts and their weights.
package struct RoutingRule: Sendable, Hashable {
    package enum Score: Sendable, Hashable {
        /// Softmax over all experts.
        case softmax
        /// Softmax over the chosen ones, which are those of the largest logits.
        case softmaxOfChosen
        case sigmoid
    }

    /// Experts come in groups of equal size, and only those of the best groups can be chosen (DeepSeek-V2, arXiv
    /// 2405.04434).
    package struct Groups: Sendable, Hashable {
        package var count: Int
        package var chosen: Int
        /// A group counts for the sum of its so many best scores.
        package var best: Int

        package init(count: Int, chosen: Int, best: Int) {
            self.count = count
            self.chosen = chosen
            self.best = best
        }
    }

    package var score: Score
    /// Experts of a token.
    package var chosen: Int
    package var groups: Groups?
    /// Weights are divided by their sum.
    package var normalizes: Bool
    /// Multiplies the weights.
    package var scale: Float

    package init(
        _ score: Score, chosen: Int, groups: Groups? = nil, normalizes: Bool = false, scale: Float = 1
    ) {
        self.score = score
        self.chosen = chosen
        self.groups = groups
        self.normalizes = normalizes
        self.scale = scale
    }
}

/// The experts of each row of a step.
package struct Routing: Equatable {
    /// The rows of one expert, ascending, with its weight in each.
    package struct Group: Equatable {
        package var expert: Int
        package var rows: [Int32]
        package var weights: [Float]
    }

    /// Of active experts only, ascending: adding them up in this order is a fixed order for each row.
    package let groups: [Group]

    /// - Parameters:
    ///   - chosen: `[rows · perRow]`
    ///   - weights: as `chosen`
    init(chosen: [Int32], weights: [Float], perRow: Int, experts: Int) {
        var counts = [Int](repeating: 0, count: experts)
        for expert in chosen { counts[Int(expert)] += 1 }
        var place = [Int](repeating: -1, count: experts)
        var groups: [Group] = []
        for expert in 0..<experts where counts[expert] > 0 {
            place[expert] = groups.count
            var group = Group(expert: expert, rows: [], weights: [])
            group.rows.reserveCapacity(counts[expert])
            group.weights.reserveCapacity(counts[expert])
            groups.append(group)
        }
        for (index, expert) in chosen.enumerated() {
            groups[place[Int(expert)]].rows.append(Int32(index / perRow))
            groups[place[Int(expert)]].weights.append(weights[index])
        }
        self.groups = groups
    }
}

/// Chooses the experts of one row at a time. A row's result depends on its own logits only; of equal scores the lower
/// index wins.
struct Router {
    let rule: RoutingRule
    /// Added to the scores for the choice alone (DeepSeek-V3, arXiv 2412.19437).
    let bias: [Float]?

    func choose(_ logits: [Float]) -> (experts: [Int], weights: [Float]) {
        let scores = self.scores(logits)
        var ranks = scores
        if let bias { for index in ranks.indices { ranks[index] += bias[index] } }
        if let groups = rule.groups { restrict(&ranks, groups) }
        let picked = Self.largest(rule.chosen, of: ranks)
        var values = picked.map { scores[$0] }
        if rule.score == .softmaxOfChosen {
            Self.softmax(&values)
        } else if rule.normalizes {
            let sum = values.reduce(0, +) + (rule.score == .sigmoid ? 1e-20 : 0)
            for index in values.indices { values[index] /= sum }
        }
        return (picked, values.map { $0 * rule.scale })
    }

    private func scores(_ logits: [Float]) -> [Float] {
        var values = logits
        switch rule.score {
        case .softmax: Self.softmax(&values)
        case .softmaxOfChosen: break
        case .sigmoid: for index in values.indices { values[index] = 1 / (1 + expf(-values[index])) }
        }
        return values
    }

    private static func softmax(_ values: inout [Float]) {
        let largest = values.max() ?? 0
        var sum: Float = 0
        for index in values.indices {
            values[index] = expf(values[index] - largest)
            sum += values[index]
        }
        for index in values.indices { values[index] /= sum }
    }

    /// Takes the experts of all but the best groups out of the choice.
    private func restrict(_ ranks: inout [Float], _ groups: RoutingRule.Groups) {
        let size = ranks.count / groups.count
        let totals = (0..<groups.count).map { group in
            let members = Array(ranks[group * size..<(group + 1) * size])
            return Self.largest(groups.best, of: members).reduce(Float(0)) { $0 + members[$1] }
        }
        let kept = Set(Self.largest(groups.chosen, of: totals))
        for group in 0..<groups.count where !kept.contains(group) {
            for index in group * size..<(group + 1) * size { ranks[index] = -.infinity }
        }
    }

    /// Indices of the largest values, the largest first. Always as many as asked for, whatever the values are.
    private static func largest(_ count: Int, of values: [Float]) -> [Int] {
        var taken = [Bool](repeating: false, count: values.count)
        var result: [Int] = []
        for _ in 0..<min(count, values.count) {
            var best = -1
            for index in values.indices where !taken[index] {
                if best < 0 || values[index] > values[best] { best = index }
            }
            taken[best] = true
            result.append(best)
        }
        return result
    }
}
