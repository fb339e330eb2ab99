import EngineInterface
import Hummingbird
import TextGeneration
import WireTypes

/// `/start_profile` and `/stop_profile`: what the engine did in each step, in the Trace Event Format that Chrome and
/// Perfetto open. Answered with the trace itself: a server writes no files where a client says.
struct ProfileRoutes: Sendable {
    let parts: ServerParts

    func start(_ request: Request, _ context: ServerContext) async throws -> Response {
        try parts.model.engine().engine.startProfile()
        return Response {
            $0.field("success", true)
            $0.field(
                "message", "Recording. Save the body of /stop_profile as a .json file for https://ui.perfetto.dev.")
        }
    }

    func stop(_ request: Request, _ context: ServerContext) async throws -> Response {
        let spans = await (try parts.model.engine().engine).stopProfile()
        return Response { writer in
            writer.field("displayTimeUnit", "ms")
            writer.arrayField("traceEvents") { writer in
                Self.name("process_name", "radish", to: &writer)
                Self.name("thread_name", "engine", to: &writer)
                for span in spans { Self.write(span, to: &writer) }
            }
        }
    }

    private static func name(_ kind: String, _ name: String, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("name", kind)
            writer.field("ph", "M")
            writer.field("pid", 1)
            writer.field("tid", 1)
            writer.objectField("args") { $0.field("name", name) }
        }
    }

    private static func write(_ span: ProfileSpan, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("name", span.name)
            writer.field("cat", "engine")
            writer.field("ph", "X")
            writer.field("ts", span.start)
            writer.field("dur", span.duration)
            writer.field("pid", 1)
            writer.field("tid", 1)
            if let rows = span.rows {
                writer.objectField("args") { writer in
                    writer.field("rows", rows)
                    writer.field("sequences", span.sequences)
                }
            }
        }
    }
}
