import ArgumentParser
import Glibc

/// `radish`: one verb per command.
@main
struct RadishCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "radish",
        abstract: "Serves open language models behind the OpenAI API and shares every prefix it has computed.",
        discussion: """
            radish serve             the embedded demo model on port 30000
            radish serve --model-path ./Qwen2.5-0.5B-Instruct --port 8000
            radish chat              talk to a model in this terminal
            radish inspect PATH      what a model holds, and how it would be served
            radish doctor            what of this machine would be used, and why
            radish grammar           try out a JSON Schema, regular expression or grammar

            Flags have SGLang's names; vLLM's spellings work too.
            --config FILE reads them from YAML.
            """,
        version: radishVersion,
        subcommands: [
            Serve.self, Chat.self, Generate.self, Tokenize.self, Doctor.self, Bench.self, GrammarCommand.self,
            Inspect.self, Plan.self, Advise.self, Record.self,
        ])

    static func main() async {
        do {
            let arguments = try ConfigFile.expand(Array(CommandLine.arguments.dropFirst()), read: ConfigFile.read)
            // vLLM and SGLang users start with flags; a bare `radish` prints the help.
            await main(arguments)
        } catch {
            exit(withError: ValidationError(ErrorText.describe(error)))
        }
    }
}

/// An error with a text made for people.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String

    init(_ error: any Error) { description = ErrorText.describe(error) }

    init(_ message: String) { description = message }
}
