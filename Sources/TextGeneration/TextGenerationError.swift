package import ChatTemplates
package import EngineInterface

/// Why a text request did not become tokens.
package enum TextGenerationError: Error, Equatable, Sendable {
    /// The engine's reason.
    case request(RequestError)
    /// The model's chat template refused the conversation or failed.
    case template(TemplateError)
    /// The model has no chat template, and none was given.
    case noChatTemplate
    /// A part of the prompt that cannot be used; `name` is its path, for example `messages[1].content[0]`.
    case field(name: String, message: String)
    /// A constraint that cannot be followed; `path` is its field as the client wrote it.
    case constraint(path: String, message: String)
}
