import FoundationEssentials

/// Files that several projects share: beside the repository, or where `RADISH_SHARED` says.
enum SharedCases {
    static let folder: String = {
        if let given = ProcessInfo.processInfo.environment["RADISH_SHARED"] { return given }
        var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        parts.removeLast(4)
        return (parts + ["shared"]).joined(separator: "/")
    }()

    static func text(_ path: String) -> String? {
        guard let data = FileManager.default.contents(atPath: folder + "/cases/chat-templates/" + path) else {
            return nil
        }
        return String(decoding: data, as: UTF8.self)
    }
}
