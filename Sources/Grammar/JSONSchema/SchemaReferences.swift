/// Which draft of JSON Schema a document is written in. Only differences that change verdicts are told apart.
enum SchemaDraft: Int, Comparable {
    case draft4 = 4
    case draft6 = 6
    case draft7 = 7
    case draft2019 = 8
    case draft2020 = 9

    static func < (left: SchemaDraft, right: SchemaDraft) -> Bool { left.rawValue < right.rawValue }

    /// From the value of `$schema`; draft 2020-12 where it is absent or unknown.
    init(uri: String?) {
        guard let uri else {
            self = .draft2020
            return
        }
        let names: [(String, SchemaDraft)] = [
            ("draft-03", .draft4), ("draft-04", .draft4), ("draft-05", .draft4), ("draft-06", .draft6),
            ("draft-07", .draft7), ("2019-09", .draft2019),
        ]
        self = names.first { uri.contains($0.0) }?.1 ?? .draft2020
    }

    /// Up to draft 7 a `$ref` hides every keyword beside it.
    var referenceHidesSiblings: Bool { self <= .draft7 }
}

/// Finds what `$ref` names: identifiers and anchors of a document, resolved against base URIs (RFC 3986, JSON Schema
/// core 8 and 9). Nothing is fetched.
struct SchemaReferences {
    let document: SchemaDocument
    let draft: SchemaDraft
    /// Whether `$schema` was written.
    let declaresDraft: Bool
    private var resources: [String: SchemaDocument.Place] = [:]
    private var anchors: [String: SchemaDocument.Place] = [:]
    private var dynamicAnchors: [String: [SchemaDocument.Place]] = [:]
    private var bases: [SchemaDocument.Place: String] = [:]

    init(document: SchemaDocument) {
        self.document = document
        let uri = document.string(document.member("$schema", of: SchemaDocument.root))
        declaresDraft = uri != nil
        draft = SchemaDraft(uri: uri)
        bases[SchemaDocument.root] = ""
        resources[""] = SchemaDocument.root
        index(SchemaDocument.root, base: "")
    }

    /// The place that `reference`, written at `place`, leads to.
    func resolve(_ reference: String, at place: SchemaDocument.Place) throws(JSONSchemaError) -> SchemaDocument.Place {
        func failure(_ reason: String) -> JSONSchemaError {
            .unresolvedReference(reference: reference, pointer: document.pointer(place), reason: reason)
        }
        let (base, baseRoot) = base(of: place)
        let (address, fragment) = URIReference.split(reference)
        let absolute = address.isEmpty ? base : URIReference.resolve(address, against: base)
        guard let resource = address.isEmpty ? baseRoot : resources[absolute] else {
            throw failure("it leads out of the schema, and schemas are not fetched")
        }
        guard let decoded = URIReference.percentDecoded(fragment) else { throw failure("a malformed percent escape") }
        if decoded.isEmpty { return resource }
        if decoded.first == UInt8(ascii: "/") {
            guard let tokens = Self.pointerTokens(decoded) else { throw failure("a malformed JSON pointer") }
            if let target = document.descend(from: resource, tokens: tokens) { return target }
            // Generators write identifiers into subschemas and still mean pointers from the top.
            if let target = document.descend(from: SchemaDocument.root, tokens: tokens) { return target }
            throw failure("nothing is there")
        }
        if let target = anchors[absolute + "#" + String(decoding: decoded, as: UTF8.self)] { return target }
        throw failure("no such anchor")
    }

    /// The place that a `$dynamicRef` or `$recursiveRef` leads to, where the document leaves one possibility.
    func resolveDynamic(
        _ reference: String, keyword: String, at place: SchemaDocument.Place
    ) throws(JSONSchemaError) -> SchemaDocument.Place {
        let target = try resolve(reference, at: place)
        let name = keyword == "$recursiveRef" ? "" : URIReference.split(reference).fragment
        let candidates = dynamicAnchors[name] ?? []
        if candidates.isEmpty || candidates == [target] || !candidates.contains(target) { return target }
        throw .unsupported(
            keyword: keyword, pointer: document.pointer(place),
            reason: "several schemas carry its anchor, and which is meant depends on the way to it")
    }

    private func base(of place: SchemaDocument.Place) -> (String, SchemaDocument.Place) {
        var current = place
        while current >= 0 {
            if let base = bases[current] { return (base, current) }
            current = document.nodes[Int(current)].parent
        }
        return ("", SchemaDocument.root)
    }

    private static func pointerTokens(_ pointer: [UInt8]) -> [[UInt8]]? {
        var tokens: [[UInt8]] = []
        for part in pointer.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            var token: [UInt8] = []
            var rest = part
            while let byte = rest.popFirst() {
                guard byte == UInt8(ascii: "~") else {
                    token.append(byte)
                    continue
                }
                switch rest.popFirst() {
                case UInt8(ascii: "0"): token.append(UInt8(ascii: "~"))
                case UInt8(ascii: "1"): token.append(UInt8(ascii: "/"))
                default: return nil
                }
            }
            tokens.append(token)
        }
        return tokens
    }

    // MARK: The index

    private mutating func index(_ place: SchemaDocument.Place, base: String) {
        guard case .object(let members) = document[place] else { return }
        var base = base
        let hidden = draft.referenceHidesSiblings && document.string(document.member("$ref", of: place)) != nil
        let identifier = document.member(draft == .draft4 ? "id" : "$id", of: place)
        if !hidden, let text = document.string(identifier) {
            let (address, fragment) = URIReference.split(text)
            if !address.isEmpty {
                base = URIReference.resolve(address, against: base)
                resources[base] = resources[base] ?? place
                bases[place] = base
            }
            if !fragment.isEmpty, draft <= .draft7 { anchors[base + "#" + fragment] = place }
        }
        if draft >= .draft2019 {
            for (keyword, dynamic) in [("$anchor", false), ("$dynamicAnchor", true)] as [(StaticString, Bool)] {
                guard let name = document.string(document.member(keyword, of: place)) else { continue }
                anchors[base + "#" + name] = place
                if dynamic { dynamicAnchors[name, default: []].append(place) }
            }
            if let flag = document.member("$recursiveAnchor", of: place), case .boolean(true) = document[flag] {
                dynamicAnchors["", default: []].append(place)
            }
        }
        for member in members {
            switch SchemaKeyword(member.name)?.children {
            case .schema: index(member.value, base: base)
            case .schemaOrList:
                if case .array(let elements) = document[member.value] {
                    for element in elements { index(element, base: base) }
                } else {
                    index(member.value, base: base)
                }
            case .named:
                if case .object(let children) = document[member.value] {
                    for child in children { index(child.value, base: base) }
                }
            case .some(.none), nil: break
            }
        }
    }
}
