import EngineInterface
import Hummingbird
import TextGeneration
import WireTypes

/// What Ollama's clients ask about models: `/api/tags`, `/api/show`, `/api/ps`, `/api/version`.
struct OllamaInformation: Sendable {
    let parts: ServerParts

    func tags(_ request: Request, _ context: ServerContext) async throws -> Response {
        let information = try parts.model.engine().engine.information
        return Response { writer in
            writer.arrayField("models") { writer in
                for name in parts.configuration.servedModelNames {
                    writer.object { write(name, information, to: &$0) }
                }
            }
        }
    }

    func running(_ request: Request, _ context: ServerContext) async throws -> Response {
        let information = try parts.model.engine().engine.information
        return Response { writer in
            writer.arrayField("models") { writer in
                writer.object { writer in
                    write(parts.configuration.servedModelNames[0], information, to: &writer)
                    // It is never unloaded.
                    writer.field("expires_at", "9999-12-31T23:59:59.000000Z")
                    writer.field("size_vram", 0)
                    writer.field("context_length", information.contextLength)
                }
            }
        }
    }

    func version(_ request: Request, _ context: ServerContext) async throws -> Response {
        // Clients compare it with Ollama's own versions; what they ask for by it is there.
        Response { $0.field("version", "0.9.0-radish-\(parts.configuration.version)") }
    }

    func show(_ request: Request, _ context: ServerContext) async throws -> Response {
        let engine = try parts.model.engine()
        let json = try await RequestBodyReading.json(request, context, parts.configuration)
        let name: String?
        do throws(FieldError) {
            let fields = try JSONFields(root: json)
            let older = try fields.string("name")
            name = try fields.string("model") ?? older
        } catch { throw ErrorMapping.failure(error) }
        _ = try parts.modelName(name.map { $0.hasSuffix(":latest") ? String($0.dropLast(7)) : $0 })
        let information = engine.engine.information
        return Response { writer in
            writer.field("modelfile", "FROM \(information.modelPath)")
            writer.field("parameters", "")
            writer.field("template", "")
            writer.objectField("details") { Self.details(information, to: &$0) }
            writer.objectField("model_info") { writer in
                writer.field("general.architecture", information.architecture)
                writer.field("general.file_type", information.dtype)
                writer.field("\(information.architecture).context_length", information.contextLength)
                writer.field("\(information.architecture).vocab_size", information.vocabularySize)
            }
            writer.arrayField("capabilities") { writer in
                writer.string("completion")
                if engine.assets.chatTemplate != nil { writer.string("tools") }
            }
            writer.field("modified_at", Timestamp.text(parts.model.created))
        }
    }

    private func write(_ name: String, _ information: EngineInformation, to writer: inout JSONWriter) {
        writer.field("name", name)
        writer.field("model", name)
        writer.field("modified_at", Timestamp.text(parts.model.created))
        writer.field("size", 0)
        writer.field("digest", "")
        writer.objectField("details") { Self.details(information, to: &$0) }
    }

    private static func details(_ information: EngineInformation, to writer: inout JSONWriter) {
        writer.field("parent_model", "")
        writer.field("format", "safetensors")
        writer.field("family", information.architecture)
        writer.arrayField("families") { $0.string(information.architecture) }
        writer.field("parameter_size", "")
        writer.field("quantization_level", information.dtype)
    }
}
