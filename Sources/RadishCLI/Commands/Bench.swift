import ArgumentParser

struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure a running server, a model in this process, and this machine's kernels.",
        discussion: """
            radish bench serving --dataset-name random --num-prompts 100
            radish bench one-batch --model-path ./Qwen2.5-0.5B --batch-size 8 --profile
            radish bench offline-throughput --dataset-name random --num-prompts 100
            radish bench startup --model-path ./Qwen2.5-0.5B
            radish bench kernels
            radish bench cache --pressure
            radish bench grammar --tokenizer tokenizer.json
            radish bench quality

            docs/benchmarks.md says how to read the tables.
            """,
        subcommands: [
            BenchServing.self, BenchCompare.self, BenchOneBatch.self, BenchOfflineThroughput.self, BenchKernels.self,
            BenchCache.self, BenchGrammar.self, BenchQuality.self, BenchStartup.self, BenchNullServer.self,
        ])
}
