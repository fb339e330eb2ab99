import Statistics

/// Requests that share prefixes the way applications do. Tokens are drawn from a seed, so every run sends the same.
package struct CacheWorkload: Sendable {
    /// One request.
    package struct Request: Sendable {
        package var prompt: [Int32]
        /// Tokens to generate.
        package var outputLength: Int
        /// Round in which it is sent: all of a round at once, the rounds one after the other.
        package var round: Int
        /// Its conversation; the next request of the same one continues it with what was generated.
        package var conversation: Int?
        /// What the user adds in the next turn of a conversation.
        package var addition: [Int32] = []
    }

    package let name: String
    package let explanation: String
    package private(set) var requests: [Request] = []

    private var numbers = RandomSource(seed: 0)
    private var vocabularySize = 1

    private init(_ name: String, _ explanation: String, seed: UInt64, vocabularySize: Int) {
        self.name = name
        self.explanation = explanation
        self.vocabularySize = vocabularySize
        numbers = RandomSource(seed: seed)
    }

    /// Tokens of the longest sequence: a pool must hold at least that.
    package var longestSequence: Int {
        var conversations: [Int: Int] = [:]
        var longest = 0
        for request in requests {
            var length = request.prompt.count + request.outputLength
            if let conversation = request.conversation {
                length += conversations[conversation] ?? 0
                conversations[conversation] = length + request.addition.count
            }
            longest = max(longest, length)
        }
        return longest
    }

    /// The prompts of each round, with the tokens to generate, as they are once the answers are known.
    ///
    /// - Parameter answer: what the request at an index is answered, in the order of the rounds.
    package func rounds(answer: (Int) -> [Int32]) -> [[(prompt: [Int32], answer: [Int32])]] {
        var histories: [Int: [Int32]] = [:]
        let indices = Dictionary(grouping: requests.indices) { requests[$0].round }
        return indices.keys.sorted().map { round in
            (indices[round] ?? []).map { index in
                let request = requests[index]
                let prompt = (request.conversation.flatMap { histories[$0] } ?? []) + request.prompt
                let tokens = answer(index)
                if let conversation = request.conversation {
                    histories[conversation] = prompt + tokens + request.addition
                }
                return (prompt, tokens)
            }
        }
    }

    /// - Parameter scale: multiplies lengths; 1 makes prompts of some thousand tokens.
    package static func all(vocabularySize: Int, scale: Double) -> [CacheWorkload] {
        func make(
            _ name: String, _ explanation: String, _ fill: (inout CacheWorkload, (Int) -> Int) -> Void
        ) -> CacheWorkload {
            var workload = CacheWorkload(
                name, explanation, seed: UInt64(truncatingIfNeeded: name.utf8.reduce(7) { $0 &* 31 &+ Int($1) }),
                vocabularySize: vocabularySize)
            fill(&workload) { max(1, Int((Double($0) * scale).rounded())) }
            return workload
        }
        return [
            make("shared-document", "8 documents, 8 questions about each, in turns") { work, size in
                let documents = (0..<8).map { _ in work.text(size(1500)) }
                for round in 0..<8 {
                    for document in documents { work.add(document + work.text(size(30)), output: 4, round: round) }
                }
            },
            make("multi-turn", "8 conversations of 8 turns behind one system prompt") { work, size in
                let system = work.text(size(200))
                for conversation in 0..<8 {
                    var first = Request(
                        prompt: system + work.text(size(60)), outputLength: size(40), round: 0,
                        conversation: conversation)
                    first.addition = work.text(size(60))
                    work.requests.append(first)
                    for turn in 1..<8 {
                        work.requests.append(
                            Request(
                                prompt: [], outputLength: size(40), round: turn, conversation: conversation,
                                addition: work.text(size(60))))
                    }
                }
                work.requests.sort { $0.round < $1.round }
            },
            make("few-shot", "64 questions behind the same examples") { work, size in
                let examples = work.text(size(1200))
                for number in 0..<64 { work.add(examples + work.text(size(60)), output: 4, round: number / 8) }
            },
            make("tree-of-thought", "a question, 4 branches at each of 3 depths, all of them extended") { work, size in
                var level = [work.text(size(600))]
                for depth in 0..<3 {
                    level = level.flatMap { parent in (0..<4).map { _ in parent + work.text(size(80)) } }
                    for thought in level { work.add(thought, output: 4, round: depth) }
                }
            },
            make("agent-loop", "4 agents, 16 steps, a tool's result added in each") { work, size in
                let tools = work.text(size(800))
                var histories = (0..<4).map { _ in tools + work.text(size(50)) }
                for step in 0..<16 {
                    for agent in histories.indices {
                        work.add(histories[agent], output: 4, round: step)
                        histories[agent] += work.text(size(100))
                    }
                }
            },
            make("no-sharing", "32 prompts that have nothing in common") { work, size in
                for number in 0..<32 { work.add(work.text(size(1000)), output: 4, round: number / 8) }
            },
        ]
    }

    private mutating func text(_ count: Int) -> [Int32] {
        (0..<count).map { _ in Int32(numbers.next() % UInt64(vocabularySize)) }
    }

    private mutating func add(_ prompt: [Int32], output: Int, round: Int) {
        requests.append(Request(prompt: prompt, outputLength: output, round: round))
    }
}

/// What a cache of any size could find at best: every token of a prompt that some request before it, or one of the same
/// round that comes first, has fed as part of the same prefix.
///
/// Stores every prefix naively, so that it shares nothing with what it judges.
package struct ReuseOptimum {
    private var root = Node()

    private final class Node {
        var children: [Int32: Node] = [:]
    }

    package init() {}

    /// - Parameter fed: prompt and what was generated and fed.
    /// - Returns: tokens of the prompt that need not be computed; the last one always is.
    package mutating func add(prompt: [Int32], fed: [Int32]) -> Int {
        var node = root
        var found = 0
        var isKnown = true
        for (position, token) in (prompt + fed).enumerated() {
            if let child = node.children[token] {
                node = child
                if isKnown, position < prompt.count { found += 1 }
            } else {
                isKnown = false
                let child = Node()
                node.children[token] = child
                node = child
            }
        }
        return min(found, prompt.count - 1)
    }
}
