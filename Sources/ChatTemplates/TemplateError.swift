/// Where in a template something happened. Lines count from 1.
package struct TemplateLocation: Equatable, Sendable {
    package var template: String
    package var line: Int

    package init(template: String, line: Int) {
        self.template = template
        self.line = line
    }
}

/// Why a chat template could not be read or rendered. Each case has the message and the place.
///
/// The kinds follow Jinja's and Python's exceptions, so that a message can be compared with what the reference
/// implementation says about the same template.
package enum TemplateError: Error, Equatable, Sendable {
    /// The source is not a template: wrong token, missing end tag, unknown tag, filter or test.
    case syntax(String, at: TemplateLocation)
    /// The template itself refused its input with `raise_exception(message)`.
    case raised(String, at: TemplateLocation)
    /// An undefined value was used where one is needed.
    case undefined(String, at: TemplateLocation)
    /// An operation on values of the wrong type.
    case type(String, at: TemplateLocation)
    /// The right type with an impossible value: division by zero, a number that does not parse, …
    case value(String, at: TemplateLocation)
    /// Something a sandboxed template may not do, such as changing a list.
    case security(String, at: TemplateLocation)
    /// A filter or test that does not exist was reached.
    case missing(String, at: TemplateLocation)
    /// One of `JinjaLimits` was exceeded.
    case limit(JinjaLimits.Exceeded, at: TemplateLocation)

    /// Where it happened.
    package var location: TemplateLocation {
        switch self {
        case .syntax(_, let location), .raised(_, let location), .undefined(_, let location),
            .type(_, let location), .value(_, let location), .security(_, let location),
            .missing(_, let location), .limit(_, let location):
            location
        }
    }

    /// What happened, without the place. For `raised`: exactly the template's own words.
    package var message: String {
        switch self {
        case .syntax(let message, _), .raised(let message, _), .undefined(let message, _), .type(let message, _),
            .value(let message, _), .security(let message, _), .missing(let message, _):
            message
        case .limit(let exceeded, _): exceeded.description
        }
    }
}

extension TemplateError: CustomStringConvertible {
    package var description: String {
        "\(location.template), line \(location.line): \(message)"
    }
}

/// A failure inside an operation on values, which knows neither template nor line; the interpreter adds them.
struct Fault: Error {
    enum Kind: Equatable {
        case raised, undefined, type, value, security, missing
        case limit(JinjaLimits.Exceeded)
    }

    let kind: Kind
    let message: String

    static func undefined(_ value: JinjaUndefined) -> Fault {
        Fault(kind: value.isUnsafe ? .security : .undefined, message: value.message)
    }
    static func type(_ message: String) -> Fault { Fault(kind: .type, message: message) }
    static func value(_ message: String) -> Fault { Fault(kind: .value, message: message) }
    static func limit(_ exceeded: JinjaLimits.Exceeded) -> Fault { Fault(kind: .limit(exceeded), message: "") }

    func located(at location: TemplateLocation) -> TemplateError {
        switch kind {
        case .raised: .raised(message, at: location)
        case .undefined: .undefined(message, at: location)
        case .type: .type(message, at: location)
        case .value: .value(message, at: location)
        case .security: .security(message, at: location)
        case .missing: .missing(message, at: location)
        case .limit(let exceeded): .limit(exceeded, at: location)
        }
    }
}
