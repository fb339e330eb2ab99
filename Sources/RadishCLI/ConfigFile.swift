import ArgumentParser
import FoundationEssentials
import Yams

/// `--config file.yaml`: the same names as the flags, one per line. Its entries are put before the command line's own
/// arguments, which therefore win.
///
/// ```yaml
/// model-path: /models/qwen2.5-0.5b-instruct
/// port: 8000
/// disable-radix-cache: false
/// served-model-name: [qwen, default]
/// ```
enum ConfigFile {
    /// Replaces `--config FILE` (or `--config=FILE`) in `arguments` by the file's entries, placed behind the verb.
    ///
    /// - Parameter read: text of the file at a path.
    /// - Throws: `ConfigFileError` naming file and entry.
    static func expand(
        _ arguments: [String], read: (String) throws(ConfigFileError) -> String
    ) throws(ConfigFileError) -> [String] {
        var rest: [String] = []
        var entries: [String] = []
        var index = 0
        while index < arguments.count {
            let argument = arguments[index]
            if argument == "--config" {
                guard index + 1 < arguments.count else { throw .missingPath }
                entries += try self.arguments(from: read(arguments[index + 1]), path: arguments[index + 1])
                index += 2
            } else if argument.hasPrefix("--config=") {
                let path = String(argument.dropFirst("--config=".count))
                entries += try self.arguments(from: read(path), path: path)
                index += 1
            } else if argument == "--" {
                rest += arguments[index...]
                break
            } else {
                rest.append(argument)
                index += 1
            }
        }
        guard !entries.isEmpty else { return rest }
        // The verb is the first word; without one there is nothing that could take the entries.
        guard let verb = rest.first, !verb.hasPrefix("-") else { return entries + rest }
        return [verb] + entries + rest.dropFirst()
    }

    static func read(_ path: String) throws(ConfigFileError) -> String {
        guard FileManager.default.fileExists(atPath: path) else {
            throw .unreadable(path: path, reason: "no such file")
        }
        do {
            return try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw .unreadable(path: path, reason: "\(error)")
        }
    }

    /// Entries of a YAML mapping as arguments: `key: value` → `--key value`, `true` → the bare flag, `false` → nothing.
    static func arguments(from text: String, path: String) throws(ConfigFileError) -> [String] {
        let node: Node?
        do { node = try Yams.compose(yaml: text) } catch { throw .syntax(path: path, message: "\(error)") }
        guard let node else { return [] }
        guard case .mapping(let mapping) = node else {
            throw .notAMapping(path: path)
        }
        var result: [String] = []
        for (key, value) in mapping {
            guard let name = key.string else { throw .badKey(path: path, line: key.mark?.line ?? 0) }
            let flag = "--" + name.replacing("_", with: "-")
            switch value {
            case .scalar(let scalar):
                if let truth = value.bool, scalar.style == .plain {
                    if truth { result.append(flag) }
                } else if value.null != nil, scalar.style == .plain {
                    continue
                } else {
                    result.append("\(flag)=\(scalar.string)")
                }
            case .sequence(let sequence):
                result.append(flag)
                for item in sequence {
                    guard let text = item.scalar?.string else {
                        throw .badValue(path: path, key: name, line: item.mark?.line ?? 0)
                    }
                    result.append(text)
                }
            default: throw .badValue(path: path, key: name, line: value.mark?.line ?? 0)
            }
        }
        return result
    }
}

enum ConfigFileError: Error, Equatable {
    case missingPath
    case unreadable(path: String, reason: String)
    case syntax(path: String, message: String)
    case notAMapping(path: String)
    case badKey(path: String, line: Int)
    case badValue(path: String, key: String, line: Int)
}
