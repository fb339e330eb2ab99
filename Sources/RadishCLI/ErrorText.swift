import ChatTemplates
import Checkpoint
import Compute
import Engine
import EngineInterface
import RadishClient
import Server
import Tensors
import TextGeneration

/// The one place where errors of the rooms below become sentences for somebody at a terminal.
enum ErrorText {
    static func describe(_ error: any Error) -> String {
        switch error {
        case let error as EngineError: text(error)
        case let error as ComputeError: text(error)
        case let error as RequestError: text(error)
        case let error as TextGenerationError: text(error)
        case let error as APIClientError: text(error)
        case let error as ConfigFileError: text(error)
        case let error as ServerError: text(error)
        case let error as OptionError: text(error)
        case let error as UnknownParser:
            "\(error.flag) \(error.name): expected auto, none, \(error.known.joined(separator: ", "))."
        // Checkpoint, models, tokenizers, templates and the server describe themselves.
        default: "\(error)"
        }
    }

    private static func text(_ error: EngineError) -> String {
        switch error {
        case .pageSize(let requested, let granularity):
            "--page-size \(requested): expected a multiple of \(granularity) up to 1024, or 1."
        case .contextLength(let requested, let model):
            "--context-length \(requested): the model's positions end at \(model)."
        case .invalidSetting(let flag, let found, let expected):
            "\(flag): found \(found), expected \(expected)."
        case .poolTooSmall(let available, let perToken, let minimum, let weights):
            "The KV pool has no room: \(available >> 20) MiB are available beside \(weights >> 20) MiB of weights, a token "
                + "takes \(perToken) bytes, and at least \(minimum) tokens are needed. Raise --mem-fraction-static or set "
                + "--max-total-tokens."
        case .selfCheckFailed(let reason):
            "The model does not compute: \(reason). The checkpoint is damaged, or its --dtype too narrow."
        }
    }

    private static func text(_ error: ComputeError) -> String {
        switch error {
        case .outOfMemory(let bytes, let purpose):
            "Out of memory: \(bytes >> 20) MiB for \(purpose) are not to be had. Lower --max-total-tokens or "
                + "--mem-fraction-static, or choose a smaller model."
        case .unsupportedDType(let tensor, let dtype, let supported):
            "\(tensor): type \(dtype.rawValue) is not supported; supported are "
                + "\(supported.map(\.rawValue).joined(separator: ", "))."
        case .unknownKernelPath(let requested, let available):
            "RADISH_CPU=\(requested): this machine runs \(available.joined(separator: ", "))."
        }
    }

    private static func text(_ error: RequestError) -> String {
        switch error {
        case .invalidParameter(let field, let found, let expected): "\(field): found \(found), expected \(expected)."
        case .emptyPrompt: "The prompt has no tokens."
        case .tokenOutOfRange(let id, let size): "Token \(id) is not in the vocabulary, which ends at \(size - 1)."
        case .contextLengthExceeded(let prompt, _, let limit):
            "The prompt has \(prompt) tokens; the context holds \(limit), the answer included."
        case .poolTooSmall(let prompt, let pool): "The prompt has \(prompt) tokens; the KV pool holds \(pool)."
        case .duplicateID(let id): "A request with the id \(id) is running already."
        case .queueFull(let limit): "\(limit) requests are waiting already."
        case .shuttingDown: "The engine is shutting down."
        case .engineFailed(let reason): "The engine failed: \(reason)"
        }
    }

    private static func text(_ error: TextGenerationError) -> String {
        switch error {
        case .request(let error): text(error)
        case .template(let error): "The chat template refused the messages: \(error)"
        case .noChatTemplate: "The model has no chat template; give one with --chat-template."
        case .field(let name, let message): "\(name): \(message)."
        case .constraint(let path, let message): "\(path): \(message)."
        }
    }

    private static func text(_ error: APIClientError) -> String {
        switch error {
        case .badURL(let url): "--url \(url): expected http://HOST:PORT or https://HOST."
        case .unreachable(let url, let reason): "\(url) cannot be reached: \(reason). Is the server running?"
        case .refused(let status, let message): "The server answered \(status): \(message)"
        }
    }

    private static func text(_ error: ConfigFileError) -> String {
        switch error {
        case .missingPath: "--config: expected the path of a YAML file."
        case .unreadable(let path, let reason): "--config \(path): \(reason)."
        case .syntax(let path, let message): "\(path): \(message)"
        case .notAMapping(let path): "\(path): expected one `flag: value` per line."
        case .badKey(let path, let line): "\(path):\(line): expected the name of a flag."
        case .badValue(let path, let key, let line):
            "\(path):\(line), \(key): expected a text, a number, true, false or a list of those."
        }
    }

    private static func text(_ error: ServerError) -> String {
        switch error {
        case .cannotListen(let host, let port, let reason):
            "Cannot listen on \(host):\(port): \(reason). Choose another --port (0 takes a free one) or --host."
        case .badCertificate(let path, let reason):
            "\(path) cannot be used for TLS: \(reason). --ssl-certfile and --ssl-keyfile take PEM files."
        case .badKeyFile(let error):
            "--api-key-file \(error)."
        }
    }

    private static func text(_ error: OptionError) -> String {
        switch error {
        case .noSuchTemplate(let value):
            "--chat-template \(value): there is no such file, and it is not a Jinja template either."
        case .unreadable(let flag, let path, let reason): "\(flag) \(path): \(reason)."
        case .doesNotFit(let reason): reason
        }
    }
}
