/// The JSON text of a schema as a tree in one array. A place in the schema is an index, so that places compare, hash
/// and refer to each other cheaply; order of members and exact numbers are kept.
package struct SchemaDocument: Sendable {
    /// Index of a value in `nodes`.
    package typealias Place = Int32

    package struct Member: Sendable {
        /// UTF-8. Bytes and not `String`, whose equality is canonical equivalence: JSON Schema compares code points.
        package var name: [UInt8]
        package var value: Place
    }

    package enum Value: Sendable {
        case null
        case boolean(Bool)
        case number(DecimalNumber)
        case string([UInt8])
        case array([Place])
        case object([Member])
    }

    package struct Node: Sendable {
        package var value: Value
        package var parent: Place
        /// The last reference token of the node's JSON pointer.
        package var token: Token
    }

    package enum Token: Sendable {
        case root
        case index(Int)
        case name([UInt8])
    }

    package private(set) var nodes: [Node] = []

    /// Parses JSON. Of members with the same name the last counts.
    /// - Throws: `JSONSchemaError.malformedJSON` and `limitExceeded`.
    package init(json: some Collection<UInt8>, limits: GrammarLimits = GrammarLimits()) throws(JSONSchemaError) {
        guard json.count <= limits.maximumSourceBytes else {
            throw .limitExceeded(bound: "maximumSourceBytes", limit: limits.maximumSourceBytes, pointer: "#")
        }
        var parser = SchemaJSONParser(bytes: Array(json), maximumNesting: limits.maximumNesting)
        nodes = try parser.parse()
    }

    package static let root: Place = 0

    package subscript(_ place: Place) -> Value { nodes[Int(place)].value }

    package func member(_ name: [UInt8], of place: Place) -> Place? {
        guard case .object(let members) = self[place] else { return nil }
        return members.first { $0.name == name }?.value
    }

    package func member(_ name: StaticString, of place: Place) -> Place? {
        guard case .object(let members) = self[place] else { return nil }
        return members.first { name.hasSameBytes(as: $0.name) }?.value
    }

    package func string(_ place: Place?) -> String? {
        guard let place, case .string(let bytes) = self[place] else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The JSON pointer of a place as a URI fragment, without percent escapes: for people to read.
    package func pointer(_ place: Place) -> String {
        var tokens: [String] = []
        var current = place
        while true {
            let node = nodes[Int(current)]
            switch node.token {
            case .root: return "#" + tokens.reversed().map { "/" + $0 }.joined()
            case .index(let index): tokens.append(String(index))
            case .name(let name):
                var token: [UInt8] = []
                for byte in name {
                    switch byte {
                    case UInt8(ascii: "~"): token += [UInt8](Array("~0".utf8))
                    case UInt8(ascii: "/"): token += [UInt8](Array("~1".utf8))
                    default: token.append(byte)
                    }
                }
                tokens.append(String(decoding: token, as: UTF8.self))
            }
            current = node.parent
        }
    }

    /// Follows the reference tokens of a JSON pointer from `start`; nil where one leads nowhere.
    package func descend(from start: Place, tokens: [[UInt8]]) -> Place? {
        var current = start
        for token in tokens {
            switch self[current] {
            case .object:
                guard let next = member(token, of: current) else { return nil }
                current = next
            case .array(let elements):
                guard let index = Int(String(decoding: token, as: UTF8.self)), elements.indices.contains(index) else {
                    return nil
                }
                current = elements[index]
            default: return nil
            }
        }
        return current
    }
}

extension StaticString {
    fileprivate func hasSameBytes(as bytes: [UInt8]) -> Bool {
        withUTF8Buffer { $0.elementsEqual(bytes) }
    }
}
