import ArgumentParser
import Radish
import TextGeneration

struct Generate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Continue a text, or answer a message, in this process.",
        discussion: """
            radish generate --prompt "Once upon a time" --max-tokens 50 --temperature 0
            radish generate --chat --prompt "Hello!"
            """)

    @Option(help: ArgumentHelp("Text to continue; - reads standard input.", valueName: "text"))
    var prompt: String

    @Flag(help: "Put the text into the model's chat template as a user's message.")
    var chat = false

    @Option(help: ArgumentHelp("System message, with --chat.", valueName: "text"))
    var system: String?

    @OptionGroup(title: "Sampling") var sampling: SamplingOptions
    @OptionGroup(title: "Model") var model: ModelOptions
    @OptionGroup(title: "Machine") var machine: MachineOptions

    func validate() throws {
        if system != nil, !chat { throw ValidationError("--system needs --chat.") }
    }

    func run() async throws {
        do {
            let engine = try await EngineStart.load(model: model, machine: machine)
            let text = prompt == "-" ? StandardStreams.readAll() : prompt
            let request = TextRequest(
                id: "generate", prompt: chat ? .chat(Conversation(system: system, user: text).prompt) : .text(text),
                sampling: sampling.parameters(engine.text.assets.defaultSampling), stop: sampling.stop)
            let finish = try await StandardStreams.print(engine.text.generate(request))
            StandardStreams.write("\n")
            if case .failed(let error) = finish?.reason { throw error }
            await engine.shutdown()
        } catch {
            throw CommandFailure(error)
        }
    }
}
