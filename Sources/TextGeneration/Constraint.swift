import EngineInterface

/// What an answer must look like, as a request says it. Compiled once for each vocabulary, and kept.
package struct Constraint: Sendable, Hashable {
    package indirect enum Form: Sendable, Hashable {
        /// Any JSON object.
        case jsonObject
        /// JSON text of a JSON Schema.
        case jsonSchema(String)
        /// The whole text matches.
        case regex(String)
        /// GBNF, or XGrammar's dialect; the rule is `root`.
        case ebnf(String)
        /// One of these texts.
        case choice([String])
        /// Free text in which each trigger switches one of the structures on.
        case structuralTag(StructuralTag)
        /// The one or the other.
        case either(Form, Form)
        /// Calls of functions, as the model writes them.
        case toolCalls(ToolCallForm)
    }

    package struct StructuralTag: Sendable, Hashable {
        package struct Structure: Sendable, Hashable {
            package var begin: String
            package var content: Form
            package var ends: [String]

            package init(begin: String, content: Form, ends: [String]) {
                self.begin = begin
                self.content = content
                self.ends = ends
            }
        }

        package var structures: [Structure]
        package var triggers: [String]
        package var atLeastOne: Bool
        package var stopAfterFirst: Bool

        package init(
            structures: [Structure], triggers: [String], atLeastOne: Bool = false, stopAfterFirst: Bool = false
        ) {
            self.structures = structures
            self.triggers = triggers
            self.atLeastOne = atLeastOne
            self.stopAfterFirst = stopAfterFirst
        }
    }

    package struct ToolCallForm: Sendable, Hashable {
        package struct Function: Sendable, Hashable {
            package var name: String
            /// JSON text of the arguments' schema; nil: any object.
            package var schema: String?
            /// Parameters whose schema is a string.
            package var texts: Set<String>
            /// Path of the function in the request, for errors.
            package var path: String

            package init(name: String, schema: String?, texts: Set<String> = [], path: String) {
                self.name = name
                self.schema = schema
                self.texts = texts
                self.path = path
            }
        }

        package var functions: [Function]
        /// At least one call, and nothing else; otherwise calls within free text.
        package var isRequired: Bool
        package var allowsSeveral: Bool

        package init(functions: [Function], isRequired: Bool, allowsSeveral: Bool) {
            self.functions = functions
            self.isRequired = isRequired
            self.allowsSeveral = allowsSeveral
        }
    }

    package enum Whitespace: Sendable, Hashable {
        /// None between JSON's tokens.
        case compact
        /// One space after colons and commas.
        case spaced
        /// Wherever JSON allows it, up to so many characters.
        case flexible(Int)
    }

    package var form: Form
    package var whitespace = Whitespace.compact
    package var anyPropertyOrder = false
    /// What cannot be enforced is left out instead of refused.
    package var bestEffort = false
    /// How the request names it, for errors.
    package var path: String

    package init(_ form: Form, path: String) {
        self.form = form
        self.path = path
    }
}
