import Testing

/// The command as a user types it.
@Suite(.serialized) struct CommandTests {
    @Test func helpTeachesTheFirstCommands() {
        let help = Binary.run("--help")
        #expect(help.status == 0)
        for verb in ["serve", "chat", "generate", "tokenize", "doctor"] { #expect(help.text.contains(verb)) }
        #expect(help.text.contains("radish serve --model-path"))
    }

    @Test(arguments: [
        ("serve --model-pth x", "--model-path"),
        ("serve --max-num-seq 4", "--max-num-seqs"),
        ("serve --disable-radix-cach", "--disable-radix-cache"),
    ])
    func unknownFlagSuggestsTheNearest(arguments: String, suggestion: String) {
        let output = Binary.run(arguments)
        #expect(output.status == 64)
        #expect(output.text.contains(suggestion), "\(output.text)")
    }

    /// docs/flags.md lists every flag that the help shows, and no other.
    @Test func flagsAreDocumented() throws {
        let help = Binary.run("serve --help").text
        let page = try #require(Binary.repositoryText("docs/flags.md"))
        let flag = /--[a-z][a-z0-9-]+/
        let shown = Set(help.split(separator: "OPTIONS:").first.map { $0.matches(of: flag).map { String($0.0) } } ?? [])
        let documented = Set(page.matches(of: flag).map { String($0.0) })
        #expect(shown.subtracting(documented).subtracting(["--config"]) == [])
        let hidden: Set = [
            "--config", "--enable-prefix-caching", "--enable-cache-report", "--enable-prompt-tokens-details",
            "--enable-mixed-chunk", "--enable-chunked-prefill", "--tensor-parallel-size",
            "--enable-auto-tool-choice", "--enable-reasoning", "--enable-hierarchical-cache", "--hicache-ratio",
        ]
        #expect(documented.subtracting(shown).subtracting(hidden) == [])
    }

    /// Where two option groups have a flag of the same name, one of them never hears of it.
    @Test(arguments: [
        "serve", "chat", "generate", "tokenize", "inspect", "doctor", "plan", "advise", "record", "bench serving",
        "bench compare", "bench one-batch", "bench offline-throughput", "bench kernels", "bench cache", "bench grammar",
        "bench quality", "bench startup",
    ])
    func noFlagIsThereTwice(command: String) {
        let help = Binary.run("\(command) --help")
        #expect(help.status == 0 && help.text.contains("OVERVIEW: "))
        let lines = help.text.split(separator: "\n").filter { $0.hasPrefix("  -") }
        let flags = lines.flatMap { line in
            line.dropFirst(2).split(separator: "  ")[0].matches(of: /--[a-z][a-z0-9-]+/).map { String($0.0) }
        }
        let twice = Dictionary(grouping: flags) { $0 }.filter { $0.value.count > 1 }.keys.sorted()
        #expect(twice == [], "\(command)")
    }

    @Test func offlineThroughputPrintsSGLangsTable() throws {
        let output = Binary.run(
            "bench offline-throughput --dataset-name random --random-input 32 --random-output 4 --num-prompts 5 "
                + "--random-range-ratio 1")
        #expect(output.status == 0, "\(output.text)")
        let rows = [
            "===== Offline Throughput Benchmark Result =====", "Backend:                                 engine    ",
            "Successful requests:                     5         ",
            "Total input tokens:                      160       ",
            "Total generated tokens:                  20        ", "Last generation throughput (tok/s):",
            "Request throughput (req/s):", "Input token throughput (tok/s):", "Output token throughput (tok/s):",
            "Total token throughput (tok/s):",
        ]
        for row in rows { #expect(output.text.contains(row), "\(row) in \(output.text)") }
        let refused = Binary.run("bench offline-throughput --dataset-name multi-turn")
        #expect(refused.status == 64)
    }

    @Test func startupTellsItsStages() {
        let output = Binary.run("bench startup --repetitions 1")
        #expect(output.status == 0, "\(output.text)")
        for stage in ["tokenizer and template", "weights", "ready", "first token"] {
            #expect(output.text.contains(stage), "\(output.text)")
        }
        #expect(Binary.run("bench startup --cold").status == 64)
    }

    @Test func planCountsExpertsAsWhatTheyAre() {
        let repository = "/" + String(#filePath).split(separator: "/").dropLast(3).joined(separator: "/")
        let output = Binary.run("plan --model-path '\(repository)/Tests/ModelsTests/Fixtures/qwen3-moe-f32'")
        #expect(output.text.contains("read for a token") && output.text.contains("experts in"), "\(output.text)")
        #expect(output.text.contains("tok/s"), "\(output.text)")
        #expect(!Binary.run("plan").text.contains("experts in"))
    }

    /// What `inspect` says of the memory, `plan` says too: quantized matrices count as their codes.
    @Test func planCountsQuantizedMatricesAsTheirCodes() {
        let repository = "/" + String(#filePath).split(separator: "/").dropLast(3).joined(separator: "/")
        let output = Binary.run("plan --model-path '\(repository)/Tests/ModelsTests/Fixtures/gguf/gpt-oss-mxfp4.gguf'")
        let lines = output.text.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
        #expect(lines.contains { $0.hasPrefix("weights ") && $0.hasSuffix("94 KiB on disk") }, "\(output.text)")
        #expect(lines.contains { $0.hasPrefix("read for a token ") && $0.hasSuffix("2 of 5 experts in 2 layers") })
        #expect(output.status == 0 && output.text.contains("KV cache"), "\(output.text)")
    }

    @Test func planMeasuresWhatItPredicted() {
        let output = Binary.run("plan --measure --input-len 64")
        #expect(output.status == 0, "\(output.text)")
        for row in ["first token, 64 tokens", "between tokens, 1 at a time", "between tokens, 16 at a time"] {
            #expect(output.text.contains(row), "\(output.text)")
        }
    }

    @Test func adviseNeedsALogOrValidation() {
        let output = Binary.run("advise")
        #expect(output.status == 64)
        #expect(output.text.contains("--validate"), "\(output.text)")
    }

    @Test func missingModelDirectoryIsNamed() {
        let output = Binary.run("serve --model-path /no/such/model")
        #expect(output.status != 0)
        #expect(output.text.contains("/no/such/model"), "\(output.text)")
    }

    @Test func configFileGivesTheSameFlagsAndTheCommandLineWins() {
        let file = Binary.temporaryFile("max-tokens: 1\ntemperature: 0\nprompt: Hello\n", name: "good.yaml")
        let one = Binary.run("generate --config \(file)")
        #expect(one.status == 0, "\(one.text)")
        let more = Binary.run("generate --config \(file) --max-tokens 12")
        #expect(more.status == 0, "\(more.text)")
        #expect(more.text.count > one.text.count)
    }

    @Test func configFileErrorsNameFileAndEntry() {
        let unknown = Binary.temporaryFile("max-tokenz: 1\nprompt: Hello\n", name: "unknown.yaml")
        let suggestion = Binary.run("generate --config \(unknown)")
        #expect(suggestion.status == 64)
        #expect(suggestion.text.contains("max-tokens"), "\(suggestion.text)")

        let list = Binary.temporaryFile("- a\n- b\n", name: "list.yaml")
        #expect(Binary.run("serve --config \(list)").text.contains(list))
        #expect(Binary.run("serve --config /no/such.yaml").text.contains("/no/such.yaml"))
    }

    @Test func greedyGenerationIsRepeatable() {
        let command = "generate --chat --prompt 'Hello!' --temperature 0 --max-tokens 24"
        let first = Binary.run(command)
        #expect(first.status == 0, "\(first.text)")
        #expect(!first.text.isEmpty)
        #expect(Binary.run(command).text == first.text)
        #expect(Binary.run(command + " --threads 1").text == first.text)
    }

    @Test func sameSeedSameText() {
        let command = "generate --chat --prompt 'Hello!' --temperature 1 --seed 7 --max-tokens 24"
        #expect(Binary.run(command).text == Binary.run(command).text)
    }

    @Test func tokenizeRoundTrips() {
        let count = Binary.run("tokenize --count 'the quick brown fox'")
        #expect(count.status == 0, "\(count.text)")
        let table = Binary.run("tokenize --no-special-tokens 'the quick brown fox'")
        let ids = table.text.split(separator: "\n").compactMap { $0.split(separator: "\t").first }
        #expect(ids.count == Int(count.text.trimmingSuffix))
        #expect(Binary.run("tokenize --decode \(ids.joined(separator: " "))").text == "the quick brown fox\n")
        #expect(Binary.run("tokenize --decode abc").text.contains("abc"))
    }

    @Test func doctorNamesThePathAndItsReasons() {
        let output = Binary.run("doctor", environment: "RADISH_CPU=plain")
        #expect(output.status == 0, "\(output.text)")
        #expect(output.text.contains("plain"))
        #expect(output.text.contains("KV pool"))
        let wrong = Binary.run("doctor", environment: "RADISH_CPU=avx9")
        #expect(wrong.status != 0)
        #expect(wrong.text.contains("avx9") && wrong.text.contains("plain"), "\(wrong.text)")
    }

    @Test(arguments: [
        ("--context-length 100000000", "--context-length"),
        ("--page-size 7", "--page-size"),
        ("--max-total-tokens 1", "--max-total-tokens"),
        ("--max-running-requests 0", "--max-running-requests"),
        ("--mem-fraction-static 2", "--mem-fraction-static"),
        ("--port 70000", "--port"),
        ("--tp 2", "--tensor-parallel-size"),
    ])
    func impossibleSettingsNameTheFlag(arguments: String, flag: String) {
        let output = Binary.run("serve --port 0 " + arguments)
        #expect(output.status != 0)
        #expect(output.text.contains(flag), "\(output.text)")
    }
}

extension String {
    fileprivate var trimmingSuffix: String { String(prefix { !$0.isWhitespace }) }
}
