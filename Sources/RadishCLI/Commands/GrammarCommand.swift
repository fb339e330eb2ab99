import ArgumentParser
import Grammar
import Statistics
import TextGeneration
import Tokenizers
import WireTypes

struct GrammarCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grammar",
        abstract: "Try out a constraint: what it accepts, and texts that it admits.",
        discussion: """
            radish grammar check --json-schema person.json --instance alice.json
            radish grammar sample --json-schema person.json --count 5
            radish grammar sample --regex '[a-z]+@[a-z]+\\.org'
            """,
        subcommands: [Check.self, Sample.self])

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Compile a constraint, and judge texts by it.",
            discussion: """
                Ends with status 1 if a text is rejected or --strict finds a breach, with 2 if the constraint is refused.
                """)

        @OptionGroup(title: "Constraint") var constraint: ConstraintOptions

        @Option(
            parsing: .upToNextOption,
            help: "Files to judge. JSON is judged as a value: any whitespace, order of members and spelling will do.")
        var instance: [String] = []

        @Flag(help: "Also check OpenAI's rules for strict schemas.") var strict = false

        func run() async throws {
            let ir = try constraint.compiled(judging: true)
            let grammar = try constraint.ready(ir, GrammarCommand.plainVocabulary)
            print("constraint: ok")
            var isGood = true
            if strict, let file = constraint.jsonSchema {
                let document = try SchemaDocument(json: TextFile.contents(of: file))
                for violation in StrictMode.violations(document) {
                    print("strict: \(violation.message)")
                    isGood = false
                }
            }
            for file in instance {
                let verdict = GrammarCommand.verdict(grammar, try TextFile.contents(of: file))
                print("\(file): \(verdict ?? "valid")")
                isGood = isGood && verdict == nil
            }
            if !isGood { throw ExitCode(1) }
        }
    }

    struct Sample: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print random texts that a constraint admits, one a line.",
            discussion: """
                Every token is chosen from those that the constraint's mask allows, all equally likely, with the \
                vocabulary of the model. After a quarter of --max-tokens a text is ended on the shortest way. One for \
                which none is found is left out and counted.
                """)

        @OptionGroup(title: "Constraint") var constraint: ConstraintOptions
        @Option(help: "How many texts.") var count = 1
        @Option(help: "Seed of the choices.") var seed: UInt64 = 0
        @Option(help: "Most tokens of a text.") var maxTokens = 2000
        @Flag(help: "Print each text as a JSON string.") var json = false
        @OptionGroup(title: "Model") var model: ModelOptions

        func run() async throws {
            let tokenizer: TokenVocabulary
            do {
                tokenizer = GrammarCommand.vocabulary(try EngineStart.assets(model))
            } catch {
                throw CommandFailure(error)
            }
            let grammar = try constraint.ready(try constraint.compiled(judging: false), tokenizer)
            var walk = GrammarWalk(grammar: grammar, seed: seed)
            var unfinished = 0
            for _ in 0..<count {
                if let text = try walk.next(maximumTokens: maxTokens) { print(line(text)) } else { unfinished += 1 }
            }
            if let failure = grammar.failure { throw CommandFailure(failure) }
            if unfinished > 0 { StandardStreams.note("\(unfinished) of \(count) texts did not end\n") }
        }

        private func line(_ text: String) -> String {
            guard json else { return text }
            var writer = JSONWriter()
            writer.string(text)
            return String(decoding: writer.bytes, as: UTF8.self)
        }
    }

    /// Every byte a token: enough to judge texts.
    static var plainVocabulary: TokenVocabulary {
        TokenVocabulary(size: 257, endTokens: [256], specialTokens: []) { $0 < 256 ? [UInt8($0)] : nil }
    }

    static func vocabulary(_ assets: ModelAssets) -> TokenVocabulary {
        TokenVocabulary(
            size: assets.tokenizer.vocabularySize, endTokens: assets.endOfSequenceIDs.sorted(),
            specialTokens: assets.tokenizer.specialTokenIDs
        ) { assets.tokenizer.bytes(ofID: $0) }
    }

    /// Nil when `text` is accepted, else what is wrong with it.
    static func verdict(_ grammar: CompiledGrammar, _ text: [UInt8]) -> String? {
        var matcher = grammar.makeMatcher()
        var text = text[...]
        while let last = text.last, last == 0x0A || last == 0x0D { text.removeLast() }
        for (offset, byte) in text.enumerated() where !matcher.accept(bytes: CollectionOfOne(byte)) {
            let line = text.prefix(offset).count { $0 == 0x0A } + 1
            return "rejected at byte \(offset), line \(line)"
        }
        return matcher.canEnd ? nil : "rejected: it may not end there"
    }
}

/// Random texts of a grammar.
struct GrammarWalk {
    let grammar: CompiledGrammar
    private var random: RandomSource
    private var mask: TokenMask

    init(grammar: CompiledGrammar, seed: UInt64) {
        self.grammar = grammar
        random = RandomSource(seed: seed)
        mask = TokenMask(count: grammar.vocabulary.size)
    }

    /// One text; nil when it did not end within the tokens.
    /// - Throws: `CommandFailure` when the grammar contradicts itself.
    mutating func next(maximumTokens: Int) throws(CommandFailure) -> String? {
        var matcher = grammar.makeMatcher()
        var text: [UInt8] = []
        for step in 0..<maximumTokens {
            if step > maximumTokens / 4, step % 16 == 0, let rest = matcher.shortestEnding(limit: 4096) {
                guard matcher.accept(bytes: rest), matcher.canEnd else {
                    throw contradiction("the shortest ending \"\(Self.text(rest))\" is not allowed", text)
                }
                return Self.text(text + rest)
            }
            matcher.fill(&mask)
            let allowed = mask.allowedTokens
            if allowed.isEmpty { throw contradiction("nothing may follow", text) }
            let token = allowed[Int(random.next() % UInt64(allowed.count))]
            guard matcher.accept(token) else {
                throw contradiction("token \(token) is in the mask and not allowed", text)
            }
            if matcher.isTerminated { return Self.text(text) }
            text += grammar.vocabulary.bytes(of: token)
        }
        return nil
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private func contradiction(_ what: String, _ text: [UInt8]) -> CommandFailure {
        if let failure = grammar.failure { return CommandFailure(failure) }
        return CommandFailure("the grammar contradicts itself: \(what) behind \(Self.text(text))")
    }
}
