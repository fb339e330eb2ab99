/// A chat template: turns messages and tools into the text that a model was trained on.
///
/// The language is Jinja as Hugging Face `transformers` sets it up: an immutable sandbox, `trim_blocks` and
/// `lstrip_blocks`, `break` and `continue`, a `generation` block, no autoescaping, `tojson` as plain JSON,
/// `raise_exception(message)` and `strftime_now(format)`. Values behave as Python's do.
///
/// Parsed once; one template may render in many tasks at the same time.
package struct ChatTemplate: Sendable {
    /// What errors call the template.
    package let name: String
    /// Names of the variables that the template reads and does not set itself, for example `messages`, `tools`,
    /// `enable_thinking`: whatever is not among them, it ignores.
    package let referencedVariables: Set<String>

    private let program: Program

    /// - Parameter source: the template's text.
    /// - Throws: `TemplateError.syntax`.
    package init(source: String, name: String = "chat_template") throws(TemplateError) {
        self.name = name
        program = try JinjaParser.parse(source: source, template: name)
        referencedVariables = try JinjaAnalysis.referencedVariables(in: program, template: name)
    }

    /// Renders the template.
    /// - Parameters:
    ///   - variables: what the template sees, for example `messages`, `tools`, `add_generation_prompt`,
    ///     `bos_token`. Of equal names the last counts.
    ///   - clock: what `strftime_now` shows.
    ///   - limits: bounds that keep a hostile template from hanging or filling the process.
    /// - Throws: `TemplateError` with the line of the template; `raised` if the template refused its input.
    package func render(
        _ variables: [(String, JinjaValue)], clock: TemplateClock = .system, limits: JinjaLimits = .standard
    ) throws(TemplateError) -> String {
        for (_, value) in variables where value.depth > limits.nesting {
            throw .limit(.nesting(limits.nesting), at: TemplateLocation(template: name, line: 1))
        }
        let interpreter = Interpreter(program: program, variables: variables, clock: clock, limits: limits)
        do {
            return try interpreter.render()
        } catch {
            throw error.located(at: TemplateLocation(template: name, line: interpreter.line))
        }
    }
}
