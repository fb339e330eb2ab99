import EngineInterface
import Hummingbird
import TextGeneration
import WireTypes

/// `GET /v1/models` and `GET /v1/models/{id}`.
struct ModelsRoute: Sendable {
    let parts: ServerParts

    static let prefix = "/v1/models/"

    func list(_ request: Request, _ context: ServerContext) async throws -> Response {
        let facts = try facts()
        return Response(json: ModelCard.list(parts.configuration.servedModelNames.map { card($0, facts) }))
    }

    /// The id may hold slashes, as the names of Hugging Face models do, escaped or not.
    func one(_ request: Request, _ context: ServerContext) async throws -> Response {
        let facts = try facts()
        let id = Self.unescaped(request.uri.path.dropFirst(Self.prefix.count))
        guard parts.configuration.servedModelNames.contains(id) else {
            throw ErrorMapping.unknownModel(id, served: parts.configuration.servedModelNames)
        }
        return Response(json: card(id, facts).json)
    }

    private typealias Facts = (path: String, context: Int)

    private func facts() throws(RequestFailure) -> Facts {
        if case .embedding(let service) = parts.model.phase {
            let information = service.engine.information
            return (information.modelPath, information.contextLength)
        }
        let information = try parts.model.engine().engine.information
        return (information.modelPath, information.contextLength)
    }

    private func card(_ name: String, _ facts: Facts) -> ModelCard {
        ModelCard(id: name, created: parts.model.created, root: facts.path, contextLength: facts.context)
    }

    /// Percent-decoded; what is no escape stays as it is.
    static func unescaped(_ text: Substring) -> String {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var position = 0
        while position < bytes.count {
            if bytes[position] == UInt8(ascii: "%"), position + 2 < bytes.count,
                let byte = UInt8(String(decoding: bytes[position + 1...position + 2], as: UTF8.self), radix: 16)
            {
                result.append(byte)
                position += 3
            } else {
                result.append(bytes[position])
                position += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
