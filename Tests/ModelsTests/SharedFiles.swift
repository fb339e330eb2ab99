import Checkpoint
import Glibc

/// Models beside the repository: `RADISH_SHARED`, or `../shared`.
enum SharedFiles {
    static func model(_ name: String) -> ModelFiles? {
        let repository = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let root = getenv("RADISH_SHARED").map { String(cString: $0) } ?? "/\(repository)/../shared"
        return try? ModelFiles.directory(root + "/models/" + name)
    }
}
