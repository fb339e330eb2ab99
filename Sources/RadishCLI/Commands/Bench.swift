import ArgumentParser

struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure this machine, its kernels, and a model in this process.",
        discussion: """
            radish bench one-batch --model-path ./Qwen2.5-0.5B --batch-size 8 --profile
            radish bench kernels
            radish bench grammar --tokenizer tokenizer.json

            docs/benchmarks.md says how to read the tables.
            """,
        subcommands: [BenchOneBatch.self, BenchKernels.self, BenchGrammar.self])
}
