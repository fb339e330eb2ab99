package import Grammar
import Statistics

/// Compilation and masks of grammars on one thread, without the cache of compiled grammars, as a server meets them: a
/// new schema, then its texts token by token. The first mask of each kind is built while it is timed.
package struct GrammarBench {
    /// A constraint and texts that go with it.
    package struct Subject: Sendable {
        package var name: String
        package var valid: [[UInt8]]
        package var invalid: [[UInt8]]
        package var compile: @Sendable (TokenVocabulary) throws -> CompiledGrammar
        /// The grammar that judges: it admits every spelling of a value. Nil for the same as `compile`.
        package var judge: (@Sendable (TokenVocabulary) throws -> CompiledGrammar)?
    }

    package struct Result: Sendable {
        package var compileMicroseconds: [Double] = []
        package var maskMicroseconds: [Double] = []
        package var bytes: [Double] = []
        package var refused: [(name: String, reason: String)] = []
        package var wrong: [String] = []
        package var validCount = 0
        package var invalidCount = 0
        package var slowestMask = ""
        package var slowestCompile = ""

        package init() {}
    }

    private let vocabulary: TokenVocabulary
    private let encode: ([UInt8]) -> [Int32]
    private let warmth: Duration
    private let clock = ContinuousClock()

    /// - Parameters:
    ///   - warmth: time for building the first masks ahead, counted as compilation.
    ///   - encode: the tokenizer's own ids of a text.
    package init(_ vocabulary: TokenVocabulary, warmth: Duration, encode: @escaping ([UInt8]) -> [Int32]) {
        self.vocabulary = vocabulary
        self.warmth = warmth
        self.encode = encode
    }

    package static func subject(_ item: GrammarCase) -> Subject {
        Subject(
            name: item.id, valid: item.valid, invalid: item.invalid,
            compile: { vocabulary in
                let ir = try JSONSchemaCompiler.compile(json: item.schema)
                return try CompiledGrammar(ir, vocabulary: vocabulary)
            },
            judge: { vocabulary in
                let ir = try JSONSchemaCompiler.compile(json: item.schema, options: .verdict)
                return try CompiledGrammar(ir, vocabulary: vocabulary)
            })
    }

    /// A regular expression that a whole text must match.
    package static func subject(pattern: String, valid: [String], invalid: [String]) -> Subject {
        Subject(
            name: pattern, valid: valid.map { Array($0.utf8) }, invalid: invalid.map { Array($0.utf8) },
            compile: { vocabulary in
                var builder = GrammarBuilder()
                let root = builder.regular(try RegularLanguage(pattern: pattern, anchoring: .whole))
                return try CompiledGrammar(GrammarIR(builder: builder, root: root), vocabulary: vocabulary)
            }, judge: nil)
    }

    /// Runs each subject `repetitions` times and keeps the quickest time of each compilation and each mask, so that
    /// what else the machine does is not counted; every run starts from nothing.
    package func run(_ subjects: [Subject], repetitions: Int) -> Result {
        var result = Result()
        for subject in subjects { run(subject, max(1, repetitions), &result) }
        return result
    }

    private func run(_ subject: Subject, _ repetitions: Int, _ result: inout Result) {
        let texts = (subject.valid + subject.invalid).map(encode)
        var compile = Double.infinity
        var masks: [Double] = []
        var words = [UInt64](repeating: 0, count: (vocabulary.size + 63) / 64)
        for repetition in 0..<repetitions {
            let grammar: CompiledGrammar
            let began = clock.now
            do {
                grammar = try subject.compile(vocabulary)
                grammar.warm(for: warmth)
            } catch {
                result.refused.append((subject.name, "\(error)"))
                return
            }
            compile = min(compile, (clock.now - began).microseconds)
            var place = 0
            for text in texts {
                var matcher = grammar.makeMatcher()
                for token in text + [-1] {
                    let began = clock.now
                    matcher.fill(&words)
                    let time = (clock.now - began).microseconds
                    if repetition == 0 { masks.append(time) } else { masks[place] = min(masks[place], time) }
                    place += 1
                    if token < 0 || !matcher.accept(token) { break }
                }
            }
            if repetition == repetitions - 1 { result.bytes.append(Double(grammar.byteCount)) }
        }
        if compile > result.compileMicroseconds.max() ?? 0 { result.slowestCompile = subject.name }
        if masks.max() ?? 0 > result.maskMicroseconds.max() ?? 0 { result.slowestMask = subject.name }
        result.compileMicroseconds.append(compile)
        result.maskMicroseconds += masks
        judge(subject, Array(texts.prefix(subject.valid.count)), Array(texts.dropFirst(subject.valid.count)), &result)
    }

    /// Every valid text has to pass token by token, each token allowed by the mask before it, up to the end token;
    /// every invalid one must not.
    private func judge(_ subject: Subject, _ valid: [[Int32]], _ invalid: [[Int32]], _ result: inout Result) {
        guard let grammar = try? (subject.judge ?? subject.compile)(vocabulary) else {
            result.wrong.append("\(subject.name): the judging form does not compile")
            return
        }
        var mask = TokenMask(count: vocabulary.size)
        func passes(_ text: [Int32]) -> Bool {
            var matcher = grammar.makeMatcher()
            for token in text {
                matcher.fill(&mask)
                let allowed = mask.contains(token)
                let taken = matcher.accept(token)
                if allowed != taken {
                    result.wrong.append("\(subject.name): mask and matcher differ on token \(token)")
                }
                if !taken { return false }
            }
            matcher.fill(&mask)
            return vocabulary.endTokens.contains { mask.contains($0) }
        }
        for (number, text) in valid.enumerated() where !passes(text) {
            result.wrong.append("\(subject.name): valid text \(number) is rejected")
        }
        for (number, text) in invalid.enumerated() where passes(text) {
            result.wrong.append("\(subject.name): invalid text \(number) is accepted")
        }
        result.validCount += valid.count
        result.invalidCount += invalid.count
    }
}

extension Duration {
    fileprivate var microseconds: Double {
        Double(components.seconds) * 1e6 + Double(components.attoseconds) * 1e-12
    }
}

extension GrammarBench.Result {
    package var table: String {
        var table = TextTable(["µs", "mean", "p50", "p95", "p99", "max", "count"])
        table.append(Self.row("compile", compileMicroseconds))
        table.append(Self.row("mask", maskMicroseconds))
        table.append(Self.row("grammar KiB", bytes.map { $0 / 1024 }))
        return table.text
    }

    private static func row(_ name: String, _ values: [Double]) -> [String] {
        let sorted = values.sorted()
        guard let last = sorted.last else { return [name] }
        func percentile(_ part: Double) -> Double { sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))] }
        let mean = values.reduce(0, +) / Double(values.count)
        return [name] + [mean, percentile(0.5), percentile(0.95), percentile(0.99), last].map { $0.fixed(1) }
            + ["\(values.count)"]
    }

    /// One line of JSON for scripts; times in microseconds.
    package var json: String {
        func object(_ values: [Double]) -> String {
            let cells = Self.row("", values).dropFirst().dropLast()
            let names = ["mean", "p50", "p95", "p99", "max"]
            return "{" + zip(names, cells).map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}"
        }
        return """
            {"compile": \(object(compileMicroseconds)), "mask": \(object(maskMicroseconds)), \
            "bytes": \(object(bytes)), "compiled": \(compileMicroseconds.count), "refused": \(refused.count), \
            "valid": \(validCount), "invalid": \(invalidCount), "wrong": \(wrong.count)}
            """
    }
}
