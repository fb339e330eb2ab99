import ChatTemplates
import Testing

/// The templates of real models against what the Python implementation made of the same messages.
@Suite struct RenderingTests {
    static let clock = TemplateClock.fixed(LocalTime(year: 2026, month: 1, day: 15, hour: 9, minute: 30))

    @Test func realTemplatesRenderAsTheReferenceDoes() throws {
        guard let rows = SharedCases.text("renderings.jsonl") else {
            print("SKIPPED: no chat template cases in \(SharedCases.folder)/cases/chat-templates")
            return
        }
        var templates: [String: ChatTemplate] = [:]
        var texts = 0
        var errors = 0
        for line in rows.split(separator: "\n") {
            let row = JSONReader.value(line)
            let path = try #require(row["template"].asString)
            let label = "\(path) \(row["case"].asString ?? "")"
            if templates[path] == nil {
                let source = try #require(SharedCases.text(path))
                templates[path] = try ChatTemplate(source: source, name: path)
            }
            let template = try #require(templates[path])
            let variables =
                [("messages", row["messages"]), ("tools", row["tools"]), ("documents", .none)]
                + row["flags"].pairs
            do {
                let text = try template.render(variables, clock: Self.clock)
                if let expected = row["expected"].asString {
                    let isEqual = Array(text.utf8) == Array(expected.utf8)
                    #expect(isEqual, "\(label): \(Self.difference(text, expected))")
                    texts += 1
                } else {
                    Issue.record("\(label): rendered, though the reference fails with \(row["error"])")
                }
            } catch {
                let mayFail = row["expected"].asString == nil
                #expect(mayFail, "\(label): \(error)")
                if row["error_kind"].asString == "raise_exception" {
                    guard case .raised(let message, _) = error else {
                        Issue.record("\(label): \(error)")
                        continue
                    }
                    #expect(message == row["error"].asString, "\(label)")
                }
                #expect(error.location.template == path && error.location.line >= 1)
                errors += 1
            }
        }
        print("chat template cases: \(texts) texts, \(errors) errors")
        #expect(texts + errors > 300)
    }

    /// Where two texts part, short enough to read.
    private static func difference(_ found: String, _ expected: String) -> String {
        let common = zip(found.unicodeScalars, expected.unicodeScalars).prefix { $0 == $1 }.count
        func excerpt(_ text: String) -> String {
            let scalars = text.unicodeScalars.dropFirst(max(0, common - 20)).prefix(80)
            return String(String.UnicodeScalarView(scalars)).debugDescription
        }
        return "at \(common): found \(excerpt(found)), expected \(excerpt(expected))"
    }
}
