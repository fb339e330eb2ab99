import ChatTemplates
import EngineInterface
import Hummingbird
import TextGeneration
import Tokenizers
import WireTypes

/// vLLM's and SGLang's `/tokenize` and `/detokenize`: text or conversation to ids, and back.
struct TokenizeRoutes: Sendable {
    let parts: ServerParts

    func tokenize(_ request: Request, _ context: ServerContext) async throws -> Response {
        let (tokenizer, contextLength, _) = try facts()
        let json = try await RequestBodyReading.json(request, context, parts.configuration)
        let body: TokenizeRequest
        do { body = try TokenizeRequest(json) } catch { throw ErrorMapping.failure(error) }
        _ = try parts.modelName(body.model)
        var lists: [[Int32]] = []
        switch body.input {
        case .texts(let texts):
            for text in texts {
                lists.append(tokenizer.encode(text, addSpecialTokens: body.addSpecialTokens ?? true))
            }
        case .chat(let chat):
            let engine = try parts.model.engine()
            do {
                lists = [try await engine.promptTokens(.chat(ChatPrompt(chat)))]
            } catch { throw ErrorMapping.failure(error, FieldNames(prompt: "messages")) }
        }
        return Response { writer in
            writer.name("count")
            if body.isList {
                writer.array { for list in lists { $0.int(list.count) } }
            } else {
                writer.int(lists[0].count)
            }
            writer.field("max_model_len", contextLength)
            writer.name("tokens")
            if body.isList {
                writer.array { for list in lists { Self.write(list, to: &$0) } }
            } else {
                Self.write(lists[0], to: &writer)
            }
            if body.returnsTexts {
                writer.arrayField("token_strs") { writer in
                    for id in lists[0] { writer.string(tokenizer.token(ofID: id) ?? "") }
                }
            } else {
                writer.nullField("token_strs")
            }
        }
    }

    func detokenize(_ request: Request, _ context: ServerContext) async throws -> Response {
        let (tokenizer, _, size) = try facts()
        let json = try await RequestBodyReading.json(request, context, parts.configuration)
        let body: DetokenizeRequest
        do { body = try DetokenizeRequest(json) } catch { throw ErrorMapping.failure(error) }
        _ = try parts.modelName(body.model)
        for id in body.lists.joined() where Int(id) >= size {
            throw RequestFailure.invalid(
                "Token id \(id) is not in the vocabulary, which ends at \(size - 1).", parameter: "tokens",
                code: "invalid_value")
        }
        let texts = body.lists.map {
            tokenizer.decode($0, skipSpecialTokens: body.skipSpecialTokens)
        }
        return Response { writer in
            for name in ["prompt", "text"] {
                writer.name(name)
                if body.isList {
                    writer.array { for text in texts { $0.string(text) } }
                } else {
                    writer.string(texts[0])
                }
            }
        }
    }

    /// Of either kind of model.
    private func facts() throws(RequestFailure) -> (tokenizer: Tokenizer, contextLength: Int, vocabularySize: Int) {
        if case .embedding(let service) = parts.model.phase {
            let information = service.engine.information
            return (service.tokenizer, information.contextLength, information.vocabularySize)
        }
        let engine = try parts.model.engine()
        let information = engine.engine.information
        return (engine.assets.tokenizer, information.contextLength, information.vocabularySize)
    }

    private static func write(_ ids: [Int32], to writer: inout JSONWriter) {
        writer.array { for id in ids { $0.int(Int(id)) } }
    }
}

extension ChatPrompt {
    init(_ body: ChatCompletionRequest) {
        self.init(
            messages: body.messages.map { TemplateValues.value(.object($0.object)) },
            tools: body.tools.tools.isEmpty ? nil : .array(body.tools.tools.map { TemplateValues.value($0.json) }),
            addGenerationPrompt: body.addGenerationPrompt, continueFinalMessage: body.continueFinalMessage,
            templateVariables: body.templateVariables.members.map { ($0.name, TemplateValues.value($0.value)) })
    }
}
