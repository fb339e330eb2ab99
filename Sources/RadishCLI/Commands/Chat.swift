import ArgumentParser
import Glibc
import Radish
import RadishClient
import TextGeneration

struct Chat: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Talk to a model in this terminal.",
        discussion: """
            Without --url the model runs in this process; with it, any
            OpenAI-compatible server answers. Each turn reuses what the turns
            before it computed.

            radish chat --system "$(cat handbook.txt)"
            radish chat --url http://127.0.0.1:30000
            """)

    @Option(help: ArgumentHelp("Server to talk to, for example http://127.0.0.1:30000.", valueName: "url"))
    var url: String?

    @Option(name: .customLong("api-key"), help: ArgumentHelp("Key for --url.", valueName: "key"))
    var apiKey: String?

    @Option(help: ArgumentHelp("System message: instructions, or a document to answer from.", valueName: "text"))
    var system: String?

    @OptionGroup(title: "Sampling") var sampling: SamplingOptions
    @OptionGroup(title: "Model") var model: ModelOptions
    @OptionGroup(title: "Machine") var machine: MachineOptions

    func run() async throws {
        do {
            if let url {
                try await talk(RemoteConversation(url: url, apiKey: apiKey, model: model.modelPath, system: system))
            } else {
                let engine = try await EngineStart.load(model: model, machine: machine)
                try await talk(LocalConversation(engine, Conversation(system: system), sampling))
                await engine.shutdown()
            }
        } catch {
            throw CommandFailure(error)
        }
    }

    private func talk(_ partner: some ConversationPartner) async throws {
        var partner = partner
        let interactive = isatty(STDIN_FILENO) != 0
        if interactive { StandardStreams.note("Ctrl-D ends, /reset forgets the conversation.\n") }
        while true {
            if interactive { StandardStreams.write("> ") }
            guard let line = readLine() else { break }
            let text = line.trimmed
            if text.isEmpty { continue }
            if text == "/reset" {
                partner.reset()
                continue
            }
            let report = try await partner.answer(text) { StandardStreams.write($0) }
            StandardStreams.write("\n")
            if interactive { StandardStreams.note("  \(report)\n") }
        }
    }
}
