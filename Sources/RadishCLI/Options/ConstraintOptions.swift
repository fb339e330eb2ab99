import ArgumentParser
import FoundationEssentials
import Grammar

/// A constraint given on the command line.
struct ConstraintOptions: ParsableArguments {
    @Option(help: ArgumentHelp("File with a JSON Schema.", valueName: "file")) var jsonSchema: String?
    @Option(help: ArgumentHelp("Regular expression that the whole text matches.", valueName: "pattern"))
    var regex: String?
    @Option(help: ArgumentHelp("File with a grammar in EBNF (llama.cpp's or XGrammar's).", valueName: "file"))
    var ebnf: String?
    @Flag(help: "Named properties in any order, not only in the schema's.") var anyOrder = false
    @Option(help: ArgumentHelp("compact, spaced, or the most characters in one place.", valueName: "style"))
    var whitespace = "compact"
    @Flag(help: "Drop schema keywords that cannot be enforced.") var bestEffort = false

    func validate() throws {
        guard [jsonSchema, regex, ebnf].compactMap({ $0 }).count == 1 else {
            throw ValidationError("Give one of --json-schema, --regex and --ebnf.")
        }
        if whitespace != "compact", whitespace != "spaced", Int(whitespace).map({ $0 < 0 }) != false {
            throw ValidationError("--whitespace: expected compact, spaced or a number.")
        }
    }

    /// - Parameter judging: whether texts are to be judged, in any spelling.
    /// - Throws: `ExitCode(2)` after saying why the constraint is refused.
    func compiled(judging: Bool) throws -> GrammarIR {
        do {
            var builder = GrammarBuilder()
            if let jsonSchema {
                let json = try TextFile.contents(of: jsonSchema)
                return try JSONSchemaCompiler.compile(json: json, options: schemaOptions(judging: judging))
            }
            if let regex {
                let language = try RegularLanguage(pattern: regex, anchoring: .whole)
                // Before the builder is copied into the result: the expression lives in it.
                let root = builder.regular(language)
                return GrammarIR(builder: builder, root: root)
            }
            let source = String(decoding: try TextFile.contents(of: ebnf ?? ""), as: UTF8.self)
            let root = try EBNFGrammar.expression(source, in: &builder)
            return GrammarIR(builder: builder, root: root)
        } catch {
            throw refusal(error)
        }
    }

    func ready(_ ir: GrammarIR, _ vocabulary: TokenVocabulary) throws -> CompiledGrammar {
        do {
            return try CompiledGrammar(ir, vocabulary: vocabulary)
        } catch {
            throw refusal(error)
        }
    }

    private func schemaOptions(judging: Bool) -> JSONSchemaOptions {
        var options = judging ? JSONSchemaOptions.verdict : JSONSchemaOptions()
        if anyOrder { options.propertyOrder = .any }
        if whitespace == "spaced", !judging { options.whitespace = .spaced }
        if let maximum = Int(whitespace) { options.whitespace = .flexible(maximum: maximum) }
        options.bestEffort = bestEffort
        return options
    }

    private func refusal(_ error: any Error) -> any Error {
        switch error {
        case is JSONSchemaError, is GrammarError:
            StandardStreams.note("radish: \(error)\n")
            return ExitCode(2)
        default: return CommandFailure(error)
        }
    }
}

/// Whole files of text.
enum TextFile {
    static func contents(of path: String) throws -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ValidationError("\(path): no such file, or not readable.")
        }
        return Array(data)
    }
}
