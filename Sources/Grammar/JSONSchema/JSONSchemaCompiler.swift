import Synchronization

/// JSON Schema, drafts 4 to 2020-12, to grammar.
///
/// A JSON text has one reading, so a schema is taken as a formula about the value and the value is read from left to
/// right: a formula over the members or items to come is derived by each one read (as Brzozowski derives a regular
/// expression by each letter), and what is demanded of the part itself becomes the formula of a smaller value. `not`,
/// `oneOf` and `if` are boolean operations like any other there, and exact. Rules are made when text reaches them.
package enum JSONSchemaCompiler {
    /// Compiles a schema given as JSON text.
    /// - Throws: `JSONSchemaError`: what cannot be enforced is refused, with keyword and pointer, never ignored.
    package static func compile(
        json: some Collection<UInt8>, options: JSONSchemaOptions = JSONSchemaOptions(),
        limits: GrammarLimits = GrammarLimits()
    ) throws(JSONSchemaError) -> GrammarIR {
        var builder = GrammarBuilder(limits: limits)
        let root = try append(json: json, options: options, to: &builder)
        return GrammarIR(builder: builder, root: root)
    }

    /// Compiles a schema into a grammar that is being built: the expression matches the JSON texts of its values.
    package static func append(
        json: some Collection<UInt8>, options: JSONSchemaOptions = JSONSchemaOptions(),
        to builder: inout GrammarBuilder
    ) throws(JSONSchemaError) -> GrammarBuilder.Expression {
        let document = try SchemaDocument(json: json, limits: builder.limits)
        return try append(document, options: options, to: &builder)
    }

    /// As `append(json:options:to:)`, for a schema that was parsed already.
    package static func append(
        _ document: SchemaDocument, options: JSONSchemaOptions = JSONSchemaOptions(), to builder: inout GrammarBuilder
    ) throws(JSONSchemaError) -> GrammarBuilder.Expression {
        let rules = try SchemaRules(document, options: options, limits: builder.limits)
        let source = builder.register(rules)
        return try rules.root(source, in: &builder)
    }
}

/// The rules of one schema, made on demand. The formulas they are made from grow with the text that is matched and are
/// shared by everything that uses the grammar, so they are behind a lock.
final class SchemaRules: RuleSource {
    private struct State {
        var solver: SchemaSolver
        /// Once the root was made.
        var grammar: SchemaGrammar?
    }

    private let state: Mutex<State>
    private let start: Formula

    init(
        _ document: SchemaDocument, options: JSONSchemaOptions, limits: GrammarLimits
    ) throws(JSONSchemaError) {
        let reader = SchemaReader(document: document, options: options, limits: limits)
        let schema = try reader.subschema(SchemaDocument.root)
        try reader.checkAll(from: schema)
        let start = reader.expressible(schema)
        let solver = SchemaSolver(reader: reader)
        guard try solver.isSatisfiable(start) else {
            throw .unsatisfiable(pointer: "#")
        }
        try solver.survey(from: start)
        solver.deadline = nil
        self.start = start
        state = Mutex(State(solver: solver))
    }

    func root(
        _ source: GrammarBuilder.Source, in builder: inout GrammarBuilder
    ) throws(JSONSchemaError) -> GrammarBuilder.Expression {
        let start = start
        return try state.withLock { (state) throws(JSONSchemaError) in
            let grammar = SchemaGrammar(solver: state.solver, source: source, builder: &builder)
            state.grammar = grammar
            if state.solver.reader.options.arguments != nil { return try grammar.arguments(start, &builder) }
            let value = try grammar.value(start, &builder)
            return builder.sequence([grammar.space, value, grammar.space])
        }
    }

    func body(
        of key: [Int32], in builder: inout GrammarBuilder
    ) throws(GrammarError) -> GrammarBuilder.Expression {
        do throws(JSONSchemaError) {
            return try state.withLock { (state) throws(JSONSchemaError) in
                try state.grammar?.body(key, &builder) ?? GrammarBuilder.never
            }
        } catch .limitExceeded(let bound, let limit, _) {
            throw .limitExceeded(bound: bound, limit: limit)
        } catch {
            throw .unsatisfiable
        }
    }
}
