import ChatTemplates
import WireTypes

/// JSON as chat templates see it; members keep their order.
enum TemplateValues {
    static func value(_ json: JSONValue) -> JinjaValue {
        switch json {
        case .null: .none
        case .bool(let value): .bool(value)
        case .int(let value): .int(value)
        case .number(let value): .float(value)
        case .string(let text): .string(text)
        case .array(let elements): .array(elements.map(value))
        case .object(let object): .object(object.members.map { ($0.name, value($0.value)) })
        }
    }
}
