// `str`, `repr` and the names of types, as Python prints them.
extension Interpreter {
    /// What `{{ value }}` writes.
    func string(of value: JinjaValue) throws(Fault) -> String {
        switch value {
        case .string(let text), .markup(let text): return text
        case .undefined: return ""
        case .int(let value): return String(value)
        default: return try repr(of: value)
        }
    }

    func repr(of value: JinjaValue) throws(Fault) -> String {
        var text = ""
        try writeRepr(of: value, to: &text)
        try budget.makeText(bytes: text.utf8.count)
        return text
    }

    private func writeRepr(of value: JinjaValue, to text: inout String) throws(Fault) {
        try budget.spend()
        switch value {
        case .undefined: try append("Undefined", to: &text)
        case .none: try append("None", to: &text)
        case .bool(let value): try append(value ? "True" : "False", to: &text)
        case .int(let value): try append(String(value), to: &text)
        case .float(let value): try append(value.pythonRepr, to: &text)
        case .string(let string): try append(string.pythonRepr, to: &text)
        case .markup(let string): try append("Markup(\(string.pythonRepr))", to: &text)
        case .list(let sequence): try writeList(sequence.elements, to: &text)
        case .tuple(let sequence):
            try append("(", to: &text)
            try writeElements(sequence.elements, to: &text)
            try append(sequence.count == 1 ? ",)" : ")", to: &text)
        case .dict(let dict): try writeDict(dict, to: &text)
        case .object(let object): try writeObject(object, value, to: &text)
        }
    }

    private func writeElements(_ elements: [JinjaValue], to text: inout String) throws(Fault) {
        try enter()
        for (index, element) in elements.enumerated() {
            if index > 0 { try append(", ", to: &text) }
            try writeRepr(of: element, to: &text)
        }
        leave()
    }

    private func writeList(_ elements: [JinjaValue], to text: inout String) throws(Fault) {
        try append("[", to: &text)
        try writeElements(elements, to: &text)
        try append("]", to: &text)
    }

    private func writeDict(_ dict: JinjaDict, to text: inout String) throws(Fault) {
        try enter()
        try append("{", to: &text)
        for index in 0..<dict.count {
            if index > 0 { try append(", ", to: &text) }
            try writeRepr(of: dict.keys[index], to: &text)
            try append(": ", to: &text)
            try writeRepr(of: dict.values[index], to: &text)
        }
        try append("}", to: &text)
        leave()
    }

    private func writeObject(_ object: JinjaObject, _ value: JinjaValue, to text: inout String) throws(Fault) {
        switch object.kind {
        case .range(let range):
            let step = range.step == 1 ? "" : ", \(range.step)"
            try append("range(\(range.start), \(range.stop)\(step))", to: &text)
        case .view(let view, let sequence):
            try append("dict_\(view.rawValue)(", to: &text)
            try writeList(sequence.elements, to: &text)
            try append(")", to: &text)
        case .namespace(let handle):
            try append("<Namespace ", to: &text)
            try writeDict(namespaces[handle], to: &text)
            try append(">", to: &text)
        case .loop(let handle):
            let state = try loopState(handle)
            try append("<LoopContext \(state.index + 1)/\(try state.length(self))>", to: &text)
        case .macro(let handle):
            try append("<Macro \(macros[handle].definition.name?.pythonRepr ?? "anonymous")>", to: &text)
        case .method(_, let name): try append("<method \(name)>", to: &text)
        case .function(let function): try append("<function \(function.rawValue)>", to: &text)
        case .generator, .cycler, .joiner: try append("<\(typeName(value)) object>", to: &text)
        }
    }

    /// `type(value).__name__`
    func typeName(_ value: JinjaValue) -> String {
        switch value {
        case .undefined: "Undefined"
        case .none: "NoneType"
        case .bool: "bool"
        case .int: "int"
        case .float: "float"
        case .string: "str"
        case .markup: "Markup"
        case .list: "list"
        case .tuple: "tuple"
        case .dict: "dict"
        case .object(let object):
            switch object.kind {
            case .range: "range"
            case .view(let view, _): "dict_\(view.rawValue)"
            case .generator: "generator"
            case .namespace: "Namespace"
            case .loop: "LoopContext"
            case .macro: "Macro"
            case .cycler: "Cycler"
            case .joiner: "Joiner"
            case .function: "function"
            case .method: "builtin_function_or_method"
            }
        }
    }

    /// How messages about undefined attributes call the owner.
    func ownerName(_ value: JinjaValue) -> String {
        switch value {
        case .none: "None"
        case .markup: "markupsafe.Markup object"
        case .object(let object):
            switch object.kind {
            case .namespace, .cycler, .joiner: "jinja2.utils.\(typeName(value)) object"
            case .loop, .macro: "jinja2.runtime.\(typeName(value)) object"
            default: "\(typeName(value)) object"
            }
        default: "\(typeName(value)) object"
        }
    }
}
