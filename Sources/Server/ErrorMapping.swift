import ChatTemplates
import EngineInterface
import HTTPTypes
import TextGeneration
import WireTypes

/// How the engine's names of request fields are spelled on one endpoint.
struct FieldNames: Sendable {
    /// Where a prompt is in the body.
    var prompt: String
    private var spellings: [String: String]
    private var prefix: String

    init(prompt: String, prefix: String = "", _ spellings: [String: String] = [:]) {
        self.prompt = prompt
        self.prefix = prefix
        self.spellings = spellings
    }

    func spelling(_ field: String) -> String { spellings[field] ?? prefix + field }
}

/// What status and body each error of the rooms below becomes. The one place where that is decided.
enum ErrorMapping {
    static func failure(_ error: JSONError) -> RequestFailure {
        .invalid("The request body is not valid JSON: \(error.message).", code: "invalid_json")
    }

    static func failure(_ error: FieldError) -> RequestFailure {
        .invalid(error.message, parameter: error.path.isEmpty ? nil : error.path, code: error.code)
    }

    static func failure(_ error: TextGenerationError, _ names: FieldNames) -> RequestFailure {
        switch error {
        case .request(let error): failure(error, names)
        case .template(let error): failure(error, names)
        case .noChatTemplate:
            .invalid(
                "This model has no chat template. Use /v1/completions, or start the server with --chat-template.",
                parameter: names.prompt, code: "no_chat_template")
        case .field(let name, let message):
            .invalid(message, parameter: names.spelling(name), code: "invalid_value")
        case .constraint(let path, let message):
            .invalid("Invalid value for '\(path)': \(message).", parameter: path, code: "invalid_constraint")
        }
    }

    static func failure(_ error: RequestError, _ names: FieldNames) -> RequestFailure {
        switch error {
        case .invalidParameter(let field, let found, let expected):
            let name = names.spelling(field)
            return .invalid(
                "Invalid value for '\(name)': found \(found), expected \(expected).", parameter: name,
                code: "invalid_value")
        case .emptyPrompt:
            return .invalid("The prompt has no tokens.", parameter: names.prompt, code: "empty_prompt")
        case .tokenOutOfRange(let id, let vocabularySize):
            return .invalid(
                "Token id \(id) is not in the vocabulary, which ends at \(vocabularySize - 1).",
                parameter: names.prompt, code: "invalid_value")
        case .contextLengthExceeded(let promptTokens, let maxNewTokens, let contextLength):
            return tooLong(promptTokens, maxNewTokens, contextLength, "This model's maximum context length is", names)
        case .poolTooSmall(let promptTokens, let poolTokens):
            return tooLong(promptTokens, nil, poolTokens, "This server's KV cache holds at most", names)
        case .duplicateID(let id):
            return .invalid(
                "A request with the id '\(id)' is running already.", parameter: "rid", code: "duplicate_id")
        case .queueFull(let limit): return .tooManyRequests(limit: limit, what: "waiting")
        case .shuttingDown: return .shuttingDown
        case .engineFailed(let reason):
            return RequestFailure(
                .internalServerError,
                ErrorBody(message: "The engine failed: \(reason)", type: "server_error", code: "engine_failed"))
        }
    }

    private static func tooLong(
        _ promptTokens: Int, _ maxNewTokens: Int?, _ limit: Int, _ subject: String, _ names: FieldNames
    ) -> RequestFailure {
        let sum = maxNewTokens.map { " + up to \($0) generated = \(promptTokens + $0)" } ?? ""
        return RequestFailure(
            .badRequest,
            ErrorBody(
                message: """
                    \(subject) \(limit) tokens, but the request needs \(promptTokens) tokens in the prompt\(sum). \
                    Shorten the prompt or generate less.
                    """,
                parameter: names.prompt, code: "context_length_exceeded",
                numbers: [("n_prompt_tokens", promptTokens), ("n_ctx", limit)]))
    }

    /// What a template says about its input is the client's to mend; that it cannot run at all is the operator's.
    private static func failure(_ error: TemplateError, _ names: FieldNames) -> RequestFailure {
        switch error {
        case .raised, .undefined, .type, .value, .limit:
            .invalid(
                "The model's chat template refused the messages: \(error.message)", parameter: names.prompt,
                code: "chat_template_error")
        case .syntax, .security, .missing:
            RequestFailure(
                .internalServerError,
                ErrorBody(
                    message: "The model's chat template cannot be rendered: \(error)", type: "server_error",
                    code: "chat_template_error"))
        }
    }

    /// As in a stream that has begun, where no status can be sent any more.
    static func event(_ failure: RequestFailure) -> [UInt8] { ServerSentEvent.data(failure.body.json) }

    static func unknownModel(_ name: String, served: [String]) -> RequestFailure {
        let names = served.map { "'\($0)'" }.joined(separator: ", ")
        return RequestFailure(
            .notFound,
            ErrorBody(
                message: "The model '\(name)' does not exist. This server serves \(names) (or 'default').",
                parameter: "model", code: "model_not_found"))
    }

    static func unknownPath(_ path: String) -> RequestFailure {
        RequestFailure(
            .notFound, ErrorBody(message: "There is nothing at '\(path)'.", code: "unknown_url"))
    }

    static func wrongMethod(_ method: String, path: String, allowed: [String]) -> RequestFailure {
        let list = allowed.joined(separator: ", ")
        var failure = RequestFailure(
            .methodNotAllowed,
            ErrorBody(message: "'\(path)' does not take \(method); it takes \(list).", code: "method_not_allowed"))
        failure.allowedMethods = list
        return failure
    }

    /// A failure of ours that no room named. The text stays in the log.
    static let unexpected = RequestFailure(
        .internalServerError, ErrorBody(message: "Internal server error.", type: "server_error", code: "internal_error")
    )
}
