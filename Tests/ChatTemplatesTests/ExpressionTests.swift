import ChatTemplates
import Testing

/// Small templates for one feature each against what Python's jinja2 makes of them.
@Suite struct ExpressionTests {
    private static let clock = TemplateClock.fixed(LocalTime(year: 2026, month: 1, day: 15, hour: 9, minute: 30))

    @Test func everyFeatureBehavesAsInPython() throws {
        let variables = JSONReader.value(ExpressionCases.variables).pairs
        let rows = ExpressionCases.rows.split(separator: "\n")
        var (texts, errors) = (0, 0)
        for line in rows {
            let row = JSONReader.value(line)
            let source = try #require(row["template"].asString)
            do {
                let text = try ChatTemplate(source: source).render(variables, clock: Self.clock)
                guard let expected = row["expected"].asString else {
                    Issue.record("\(source.debugDescription): rendered \(text), should fail with \(row["error"])")
                    continue
                }
                let isEqual = Array(text.utf8) == Array(expected.utf8)
                #expect(
                    isEqual,
                    "\(source)\n  found    \(text.debugDescription)\n  expected \(expected.debugDescription)")
                texts += 1
            } catch {
                guard let kind = row["error"].asString else {
                    Issue.record("\(source): \(error)")
                    continue
                }
                let sameKind = Self.kind(of: error) == kind
                #expect(sameKind, "\(source.debugDescription): \(error), should be \(kind)")
                if let message = row["message"].asString {
                    #expect(error.message == message, "\(source.debugDescription)")
                }
                if case .int(let line) = row["line"] {
                    #expect(error.location.line == line, "\(source.debugDescription): \(error)")
                }
                errors += 1
            }
        }
        print("expression cases: \(texts) texts, \(errors) errors")
        #expect(texts + errors == rows.count)
    }

    private static func kind(of error: TemplateError) -> String {
        switch error {
        case .raised: "raised"
        case .syntax: "syntax"
        case .undefined: "undefined"
        case .security: "security"
        case .type, .value, .missing, .limit: "other"
        }
    }
}
