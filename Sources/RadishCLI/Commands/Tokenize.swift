import ArgumentParser
import Checkpoint
import Radish
import TextGeneration
import Tokenizers

struct Tokenize: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the token ids of a text, or the text of token ids.",
        discussion: """
            radish tokenize "Hello, world"
            radish tokenize --decode 15339 11 1917
            radish tokenize --count < book.txt
            """)

    @Argument(help: "Text, or ids with --decode; standard input without any.")
    var input: [String] = []

    @Flag(help: "The arguments are ids.") var decode = false
    @Flag(help: "Only the number of tokens.") var count = false
    @Flag(name: .customLong("no-special-tokens"), help: "Do not add BOS and the like.") var noSpecialTokens = false
    @Flag(help: "Render as a user's message through the chat template first.") var chat = false

    @OptionGroup(title: "Model") var model: ModelOptions

    func run() async throws {
        do {
            let assets = try EngineStart.assets(model)
            if decode {
                print(assets.tokenizer.decode(try ids(), skipSpecialTokens: false))
                return
            }
            let text = input.isEmpty ? StandardStreams.readAll() : input.joined(separator: " ")
            let ids =
                chat
                ? try PromptBuilder.tokens(of: .chat(Conversation(user: text).prompt), assets: assets)
                : assets.tokenizer.encode(text, addSpecialTokens: !noSpecialTokens)
            if count {
                print(ids.count)
                return
            }
            for id in ids {
                print("\(id)\t\(assets.tokenizer.token(ofID: id) ?? "")")
            }
        } catch {
            throw CommandFailure(error)
        }
    }

    private func ids() throws -> [Int32] {
        let words =
            input.isEmpty ? StandardStreams.readAll().split(whereSeparator: \.isWhitespace).map(String.init) : input
        return try words.map { word in
            guard let id = Int32(word) else { throw ValidationError("\(word): expected a token id.") }
            return id
        }
    }
}
