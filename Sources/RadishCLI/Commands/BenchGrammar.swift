import ArgumentParser
import EngineBench
import FoundationEssentials
import Grammar
import Tokenizers

struct BenchGrammar: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grammar",
        abstract: "Measure compilation and masks of constraints on one thread.",
        discussion: """
            radish bench grammar --cases cases.jsonl --tokenizer tokenizer.json

            Cases are lines of {"id", "schema", "valid": [values], "invalid": [values]}. Every compilation starts from \
            nothing; the time of a mask includes what has to be built for it.
            """)

    @Option(help: ArgumentHelp("JSON Schemas with texts that they accept and reject.", valueName: "file"))
    var cases: String?

    @Option(help: ArgumentHelp("The vocabulary: a tokenizer.json.", valueName: "file"))
    var tokenizer: String

    @Option(help: ArgumentHelp("Ids that end a text; the first special token by default.", valueName: "id"))
    var eos: [Int32] = []

    @Option(help: ArgumentHelp("Times that everything is run; the quickest counts.", valueName: "n"))
    var repetitions = 3

    @Option(help: ArgumentHelp("Time to build the first masks ahead, counted as compilation.", valueName: "µs"))
    var warmMicroseconds = 400

    @Flag(help: "Leave the bounded repetitions out.")
    var skipPatterns = false

    @Flag(help: "Print one line of JSON for each table.")
    var json = false

    func run() async throws {
        guard let text = Self.bytes(tokenizer) else { throw ValidationError("\(tokenizer) cannot be read.") }
        let tokens = try Tokenizer(json: text)
        let clock = ContinuousClock()
        let began = clock.now
        let vocabulary = TokenVocabulary(
            size: tokens.vocabularySize, endTokens: eos.isEmpty ? Array(tokens.specialTokenIDs.prefix(1)) : eos,
            specialTokens: tokens.specialTokenIDs, tokenBytes: tokens.bytes(ofID:))
        let prepared = clock.now - began
        let bench = GrammarBench(vocabulary, warmth: .microseconds(warmMicroseconds)) { text in
            tokens.encode(String(decoding: text, as: UTF8.self), addSpecialTokens: false, parseSpecial: false)
        }
        if !json { StandardStreams.write("vocabulary of \(vocabulary.size) tokens prepared in \(prepared)\n\n") }
        if let cases {
            guard let lines = Self.bytes(cases), let items = GrammarCase.read(lines) else {
                throw ValidationError("\(cases) cannot be read as lines of cases.")
            }
            show("JSON Schemas", bench.run(items.map { GrammarBench.subject($0) }, repetitions: repetitions))
        }
        if !skipPatterns {
            let word = "the quick brown fox jumps over the lazy dog "
            let long = String(repeating: word, count: 9)
            let subjects = [
                GrammarBench.subject(
                    pattern: "[^\"\\\\\\n]{0,200}", valid: [String(long.prefix(200)), word],
                    invalid: [String(long.prefix(201)), "a\"b"]),
                GrammarBench.subject(
                    pattern: "[\\w\\s]{20,400}\\.", valid: [String(long.prefix(390)) + ".", word + "."],
                    invalid: ["the end.", word]),
            ]
            show("bounded repetitions", bench.run(subjects, repetitions: repetitions))
        }
    }

    private static func bytes(_ path: String) -> [UInt8]? {
        (try? Data(contentsOf: URL(filePath: path))).map { [UInt8]($0) }
    }

    private func show(_ title: String, _ result: GrammarBench.Result) {
        if json {
            StandardStreams.write(result.json + "\n")
            return
        }
        StandardStreams.write("\(title)\n\(result.table)")
        StandardStreams.write(
            """
            \(result.compileMicroseconds.count) compiled, \(result.refused.count) refused; \
            \(result.validCount) valid and \(result.invalidCount) invalid texts judged, \(result.wrong.count) wrongly; \
            slowest compilation \(result.slowestCompile), slowest mask in \(result.slowestMask)

            """)
        for item in result.refused { StandardStreams.write("refused \(item.name): \(item.reason)\n") }
        for item in result.wrong { StandardStreams.write("wrong: \(item)\n") }
        StandardStreams.write("\n")
    }
}
