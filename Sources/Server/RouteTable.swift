import EngineInterface
import HTTPTypes
import Hummingbird
import TextGeneration
import WireTypes

/// Fills the router and remembers which methods each path takes, for errors that say so.
struct RouteTable: Sendable {
    typealias Handler = @Sendable (Request, ServerContext) async throws -> Response

    private var entries: [(method: HTTPRequest.Method, path: String, handler: Handler)] = []

    mutating func get(_ paths: String..., handler: @escaping Handler) { add(.get, paths, handler) }
    mutating func put(_ paths: String..., handler: @escaping Handler) { add(.put, paths, handler) }
    mutating func delete(_ paths: String..., handler: @escaping Handler) { add(.delete, paths, handler) }
    /// GET and POST, as SGLang takes its commands.
    mutating func any(_ paths: String..., handler: @escaping Handler) {
        add(.get, paths, handler)
        add(.post, paths, handler)
    }
    mutating func post(_ paths: String..., handler: @escaping Handler) { add(.post, paths, handler) }

    private mutating func add(_ method: HTTPRequest.Method, _ paths: [String], _ handler: @escaping Handler) {
        for path in paths { entries.append((method, path, handler)) }
    }

    /// Methods of the routes at `path`, in the order in which they were added. `**` at the end of a route takes any
    /// rest.
    func methods(of path: String) -> [String] {
        var methods: [String] = []
        for entry in entries {
            let matches =
                if entry.path.hasSuffix("/**") {
                    path.hasPrefix(entry.path.dropLast(2)) && path.utf8.count > entry.path.utf8.count - 2
                } else {
                    entry.path == path || entry.path + "/" == path
                }
            if matches, !methods.contains(entry.method.rawValue) { methods.append(entry.method.rawValue) }
        }
        return methods
    }

    func fill(_ router: Router<ServerContext>) {
        for entry in entries {
            let handler = entry.handler
            router.on(RouterPath(entry.path), method: entry.method) { request, context in
                try await handler(request, context)
            }
        }
    }
}
