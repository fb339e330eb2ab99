/// The formats of JSON Schema (2020-12 validation, 7.3) that are enforced. `regex`, `idn-hostname` and names that no
/// draft defines are annotations.
enum StringFormat: String, CaseIterable {
    case dateTime = "date-time"
    case date, time, duration
    case email
    case idnEmail = "idn-email"
    case hostname, ipv4, ipv6
    case uri
    case uriReference = "uri-reference"
    case iri
    case iriReference = "iri-reference"
    case uriTemplate = "uri-template"
    case uuid
    case jsonPointer = "json-pointer"
    case relativeJSONPointer = "relative-json-pointer"

    /// Every text of the format.
    var language: RegularLanguage {
        switch self {
        case .date: Self.fullDate
        case .time: Self.fullTime
        case .dateTime: .concatenation([Self.fullDate, Self.characters("Tt"), Self.fullTime])
        case .duration: Self.isoDuration
        case .email: Self.mailbox(extra: .empty)
        case .idnEmail: Self.mailbox(extra: CodePointSet(0x80, CodePointSet.maximum))
        case .hostname: Self.hostName
        case .ipv4: Self.ipv4Address
        case .ipv6: Self.ipv6Address
        case .uri: Self.reference(extra: .empty, relative: false)
        case .iri: Self.reference(extra: Self.nonASCII, relative: false)
        case .uriReference: Self.reference(extra: .empty, relative: true)
        case .iriReference: Self.reference(extra: Self.nonASCII, relative: true)
        case .uriTemplate: Self.template
        case .uuid: Self.hexGroups([8, 4, 4, 4, 12])
        case .jsonPointer: Self.pointer
        case .relativeJSONPointer:
            .concatenation([
                .union([.text("0"), Self.digits(1, 9).then(Self.digit.repeated())]),
                .union([.text("#"), Self.pointer]),
            ])
        }
    }

    // MARK: Pieces

    private static let nonASCII = CodePointSet([CodePointSet.Interval(0xA0, 0xD7FF), .init(0xF900, 0xEFFFD)])
    private static let digit = digits(0, 9)
    private static let hexDigit = set("0-9a-fA-F")

    private static func digits(_ low: UInt32, _ high: UInt32) -> RegularLanguage {
        .set(CodePointSet(48 + low, 48 + high))
    }

    /// One of the characters of `text`.
    private static func characters(_ text: String) -> RegularLanguage {
        .set(CodePointSet(text.unicodeScalars.map(\.value)))
    }

    /// Characters and ranges, as inside the brackets of a regular expression, without escapes.
    private static func points(_ text: String) -> CodePointSet {
        let scalars = text.unicodeScalars.map(\.value)
        var intervals: [CodePointSet.Interval] = []
        var index = 0
        while index < scalars.count {
            if index + 2 < scalars.count, scalars[index + 1] == 45 {
                intervals.append(.init(scalars[index], scalars[index + 2]))
                index += 3
            } else {
                intervals.append(.init(scalars[index], scalars[index]))
                index += 1
            }
        }
        return CodePointSet(intervals)
    }

    private static func set(_ text: String) -> RegularLanguage { .set(points(text)) }

    private static func optional(_ language: RegularLanguage) -> RegularLanguage { .union([.emptyText, language]) }

    private static func all(_ parts: RegularLanguage...) -> RegularLanguage { .concatenation(parts) }

    private static func any(_ parts: RegularLanguage...) -> RegularLanguage { .union(parts) }

    // MARK: Dates and times (RFC 3339)

    /// Days that exist: thirty days have September …, and leap years by the rule of 400.
    private static let fullDate: RegularLanguage = {
        let year = digit.repeated(4, 4)
        let twoDigits = digits(0, 9).repeated(2, 2)
        let dividedByFour = any(
            all(characters("02468"), characters("048")), all(characters("13579"), characters("26")))
        // Without booleans, so that nobody has to ask whether the format is empty.
        let ordinary = any(
            all(.text("0"), characters("48")), all(characters("2468"), characters("048")),
            all(characters("13579"), characters("26")))
        let leap = any(twoDigits.then(ordinary), dividedByFour.then(.text("00")))
        func days(_ last: String) -> RegularLanguage {
            let tens = UInt32(last.utf8.first ?? 48) - 48
            let ones = UInt32(last.utf8.last ?? 48) - 48
            var options = [all(.text("0"), digits(1, 9)), all(digits(1, tens - 1), digit)]
            options.append(all(digits(tens, tens), digits(0, ones)))
            return .union(options)
        }
        func months(_ names: [String]) -> RegularLanguage { .texts(names) }
        let long = all(months(["01", "03", "05", "07", "08", "10", "12"]), .text("-"), days("31"))
        let short = all(months(["04", "06", "09", "11"]), .text("-"), days("30"))
        let february = all(
            .text("02-"), any(all(.text("0"), digits(1, 9)), all(.text("1"), digit), all(.text("2"), digits(0, 8))))
        return any(
            all(year, .text("-"), any(long, short, february)), all(leap, .text("-02-29")))
    }()

    private static let hours = any(all(digits(0, 1), digit), all(.text("2"), digits(0, 3)))
    private static let sixty = all(digits(0, 5), digit)

    /// A leap second is admitted where it can be: at 23:59:60 UTC.
    private static let fullTime: RegularLanguage = {
        let fraction = optional(all(.text("."), digit.repeated(1)))
        let offset = any(characters("Zz"), all(characters("+-"), hours, .text(":"), sixty))
        return any(
            all(hours, .text(":"), sixty, .text(":"), sixty, fraction, offset),
            all(.text("23:59:60"), fraction, any(characters("Zz"), all(characters("+-"), .text("00:00")))))
    }()

    /// RFC 3339, appendix A.
    private static let isoDuration: RegularLanguage = {
        let number = digit.repeated(1)
        func part(_ unit: String) -> RegularLanguage { number.then(.text(unit)) }
        let minutes = part("M").then(optional(part("S")))
        let time = all(.text("T"), any(part("H").then(optional(minutes)), minutes, part("S")))
        let months = part("M").then(optional(part("D")))
        let date = any(part("D"), months, part("Y").then(optional(months)))
        return all(.text("P"), any(date.then(optional(time)), time, part("W")))
    }()

    // MARK: Addresses

    /// Hyphens at the third and fourth place are kept for encoded names (RFC 5891, 4.2.3.1).
    private static let label: RegularLanguage = {
        let alphanumeric = set("a-zA-Z0-9")
        let inner = RegularLanguage.set(points("a-zA-Z0-9").union(CodePointSet([45])))
        let plain = alphanumeric.then(optional(all(inner.repeated(0, 61), alphanumeric)))
        let reserved = all(inner.repeated(2, 2), .text("--"), .anyText)
        let encoded = all(characters("xX"), characters("nN"), .text("--"), inner.repeated(0, 58), alphanumeric)
        return any(plain.subtracting(reserved), encoded)
    }()

    /// RFC 1123: labels of up to 63 characters, 253 in all; not of digits only at the end, which would be an address.
    private static let hostName: RegularLanguage = .intersection([
        label.then(RegularLanguage.text(".").then(label).repeated()), .length(1, 253),
    ])

    /// RFC 5321's mailbox with a dot-string or a quoted string.
    private static func mailbox(extra: CodePointSet) -> RegularLanguage {
        let atom = RegularLanguage.set(points("a-zA-Z0-9!#$%&'*+/=?^_`{|}~").union(CodePointSet([45])).union(extra))
            .repeated(1)
        let dotted = atom.then(RegularLanguage.text(".").then(atom).repeated())
        let plain = RegularLanguage.set(CodePointSet(32, 126).subtracting(CodePointSet([34, 92])).union(extra))
        let quoted = all(.text("\""), any(plain, all(.text("\\"), .set(CodePointSet(32, 126)))).repeated(), .text("\""))
        let domain =
            extra.isEmpty
            ? hostName
            : RegularLanguage.intersection([
                {
                    let letter = RegularLanguage.set(points("a-zA-Z0-9").union(extra))
                    let inner = RegularLanguage.set(points("a-zA-Z0-9-").union(extra))
                    let label = letter.then(optional(all(inner.repeated(0, 61), letter)))
                    return label.then(RegularLanguage.text(".").then(label).repeated())
                }(), .length(1, 253),
            ])
        let literal = all(.text("["), any(ipv4Address, all(.text("IPv6:"), ipv6Address)), .text("]"))
        return all(.intersection([any(dotted, quoted), .length(1, 64)]), .text("@"), any(domain, literal))
    }

    private static let ipv4Address: RegularLanguage = {
        let byte = any(
            digit, all(digits(1, 9), digit), all(.text("1"), digit, digit), all(.text("2"), digits(0, 4), digit),
            all(.text("25"), digits(0, 5)))
        return byte.then(RegularLanguage.text(".").then(byte).repeated(3, 3))
    }()

    /// RFC 4291, with the two dotted forms of RFC 3986's grammar.
    private static let ipv6Address: RegularLanguage = {
        let group = hexDigit.repeated(1, 4)
        let head = group.then(.text(":"))
        var options = [head.repeated(7, 7).then(group), head.repeated(6, 6).then(ipv4Address)]
        for before in 0...7 {
            let left = before == 0 ? RegularLanguage.emptyText : head.repeated(before - 1, before - 1).then(group)
            // "::" stands for at least one group.
            let space = 7 - before
            var right: [RegularLanguage] = [.emptyText]
            if space >= 1 { right.append(head.repeated(0, space - 1).then(group)) }
            if space >= 2 { right.append(head.repeated(0, space - 2).then(ipv4Address)) }
            options.append(all(left, .text("::"), .union(right)))
        }
        return .union(options)
    }()

    private static func hexGroups(_ lengths: [Int]) -> RegularLanguage {
        var parts: [RegularLanguage] = []
        for length in lengths {
            if !parts.isEmpty { parts.append(.text("-")) }
            parts.append(hexDigit.repeated(length, length))
        }
        return .concatenation(parts)
    }

    // MARK: URIs (RFC 3986, RFC 3987, RFC 6570)

    private static let percent = all(.text("%"), hexDigit, hexDigit)

    private static func reference(extra: CodePointSet, relative: Bool) -> RegularLanguage {
        let unreserved = points("a-zA-Z0-9._~").union(CodePointSet([45])).union(extra)
        let subDelimiters = points("!$&'()*+,;=")
        func text(_ more: String) -> RegularLanguage {
            any(.set(unreserved.union(subDelimiters).union(points(more))), percent)
        }
        let character = text(":@")
        let segment = character.repeated()
        let segments = RegularLanguage.text("/").then(segment).repeated()
        let absolutePath = RegularLanguage.text("/").then(optional(character.repeated(1).then(segments)))
        let rootless = character.repeated(1).then(segments)
        let noScheme = text("@").repeated(1).then(segments)
        let user = text(":").repeated().then(.text("@"))
        let future = all(
            characters("vV"), hexDigit.repeated(1), .text("."),
            .set(unreserved.union(subDelimiters).union(points(":"))).repeated(1))
        let host = any(all(.text("["), any(ipv6Address, future), .text("]")), text("").repeated())
        let authority = all(.text("//"), optional(user), host, optional(all(.text(":"), digit.repeated())), segments)
        let query = optional(all(.text("?"), text(":@/?").repeated()))
        let fragment = optional(all(.text("#"), text(":@/?").repeated()))
        let scheme = all(set("a-zA-Z"), .set(points("a-zA-Z0-9+.").union(CodePointSet([45]))).repeated(), .text(":"))
        let absolute = all(scheme, any(authority, absolutePath, rootless, .emptyText), query, fragment)
        if !relative { return absolute }
        return any(absolute, all(any(authority, absolutePath, noScheme, .emptyText), query, fragment))
    }

    private static let template: RegularLanguage = {
        let literal = any(
            .set(points("!#$&'()*+,./0-9:;=?@A-Z[]_a-z~").union(CodePointSet([45])).union(nonASCII)), percent)
        let character = any(set("a-zA-Z0-9_"), percent)
        let name = character.then(optional(.text(".")).then(character).repeated())
        let modifier = optional(any(.text("*"), all(.text(":"), digits(1, 9), digit.repeated(0, 3))))
        let variables = all(name, modifier, all(.text(","), name, modifier).repeated())
        let expression = all(.text("{"), optional(characters("+#./;?&=,!@|")), variables, .text("}"))
        return any(literal, expression).repeated()
    }()

    private static let pointer: RegularLanguage = {
        let plain = RegularLanguage.set(CodePointSet([47, 126] as [UInt32]).inverted)
        let character = any(plain, all(.text("~"), digits(0, 1)))
        return RegularLanguage.text("/").then(character.repeated()).repeated()
    }()
}
