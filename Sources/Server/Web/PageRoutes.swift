import EngineInterface
import HTTPTypes
import Hummingbird
import NIOCore
import TextGeneration
import WireTypes

/// The page at `/`, its parts, and the description of the API at `/openapi.json`.
struct PageRoutes: Sendable {
    private struct File: Sendable {
        var type: String
        var bytes: [UInt8]
    }

    private static let types = [
        "index.html": "text/html; charset=utf-8", "page.css": "text/css; charset=utf-8",
        "page.js": "text/javascript; charset=utf-8", "openapi.json": "application/json",
    ]

    private let files: [String: File]

    init() {
        files = EmbeddedFiles.all().reduce(into: [:]) { files, file in
            files[file.name] = File(type: Self.types[file.name] ?? "application/octet-stream", bytes: file.bytes)
        }
    }

    /// Adds a route for each file.
    func add(to routes: inout RouteTable) {
        for (name, file) in files.sorted(by: { $0.key < $1.key }) {
            routes.get(name == "index.html" ? "/" : "/" + name) { _, _ in Self.response(file) }
        }
    }

    private static func response(_ file: File) -> Response {
        var headers: HTTPFields = [.contentType: file.type, .cacheControl: "no-cache"]
        // The page needs nothing from elsewhere, so nothing from elsewhere may run in it.
        headers[.contentSecurityPolicy] =
            "default-src 'self'; img-src data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'"
        headers[.xContentTypeOptions] = "nosniff"
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: file.bytes)))
    }
}
