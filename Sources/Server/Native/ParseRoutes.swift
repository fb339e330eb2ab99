import Hummingbird
import TextGeneration
import WireTypes

/// SGLang's `POST /parse_function_call` and `/separate_reasoning`: the parsers of answers, for texts that are already
/// there, from `/generate` or a log.
struct ParseRoutes: Sendable {
    let parts: ServerParts

    func calls(_ request: Request, _ context: ServerContext) async throws -> Response {
        let own = try parts.model.engine().assets.parsers.toolCalls
        let json = try await RequestBodyReading.json(request, context, parts.configuration)
        let body: ParseFunctionCallRequest
        do { body = try ParseFunctionCallRequest(json) } catch { throw ErrorMapping.failure(error) }
        var parsers = AnswerParsers(toolCalls: own)
        if let name = body.parser {
            parsers = try Self.parsers("tool_call_parser") { () throws(UnknownParser) in
                try AnswerParsers(reasoning: "none", toolCalls: name, template: nil)
            }
        }
        let said = parsers.read(body.text, functions: body.functions)
        return Response { writer in
            writer.field("normal_text", said.reduce(into: "") { $0 += $1.text })
            writer.arrayField("calls") { writer in
                for call in said.joinedCalls {
                    writer.object { writer in
                        writer.field("tool_index", call.index)
                        writer.field("name", call.name)
                        writer.field("parameters", call.arguments)
                    }
                }
            }
        }
    }

    func reasoning(_ request: Request, _ context: ServerContext) async throws -> Response {
        let own = try parts.model.engine().assets.parsers.reasoning
        let json = try await RequestBodyReading.json(request, context, parts.configuration)
        let body: SeparateReasoningRequest
        do { body = try SeparateReasoningRequest(json) } catch { throw ErrorMapping.failure(error) }
        var parsers = AnswerParsers(reasoning: own)
        if let name = body.parser {
            parsers = try Self.parsers("reasoning_parser") { () throws(UnknownParser) in
                try AnswerParsers(reasoning: name, toolCalls: "none", template: nil)
            }
        }
        let said = parsers.read(body.text)
        return Response { writer in
            writer.field("reasoning_text", said.reduce(into: "") { $0 += $1.reasoning })
            writer.field("text", said.reduce(into: "") { $0 += $1.text })
            guard body.returnsBlocks else { return }
            writer.arrayField("blocks") { writer in
                for part in said {
                    for (type, text) in [("reasoning", part.reasoning), ("text", part.text)] where !text.isEmpty {
                        writer.object { writer in
                            writer.field("type", type)
                            writer.field("text", text)
                        }
                    }
                }
            }
        }
    }

    /// - Throws: `RequestFailure` 400 with the names that are known.
    private static func parsers(
        _ field: String, _ make: () throws(UnknownParser) -> AnswerParsers
    ) throws(RequestFailure) -> AnswerParsers {
        do { return try make() } catch {
            throw ErrorMapping.failure(
                FieldError(
                    field, .invalid("'\(error.name)'; expected one of \(error.known.joined(separator: ", "))")))
        }
    }
}
