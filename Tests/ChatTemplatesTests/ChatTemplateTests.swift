import ChatTemplates
import Testing

/// The door: parsing, variables, errors, the clock, sharing.
@Suite struct ChatTemplateTests {
    @Test func anErrorNamesTemplateAndLine() {
        let source =
            "first\n{% for m in messages %}\n  {{ m.content }}\n  {{ [1,\n      m.nope.deeper] }}\n{% endfor %}"
        do {
            let template = try ChatTemplate(source: source, name: "tokenizer_config.json")
            _ = try template.render([("messages", [["content": "x"]])])
            Issue.record("rendered")
        } catch {
            #expect(
                error
                    == .undefined(
                        "'dict object' has no attribute 'nope'",
                        at: TemplateLocation(template: "tokenizer_config.json", line: 5)))
            #expect(error.description == "tokenizer_config.json, line 5: 'dict object' has no attribute 'nope'")
        }
        #expect(
            throws: TemplateError.syntax(
                "Unexpected end of template: the 'if' of line 2 needs 'elif' or 'else' or 'endif'",
                at: TemplateLocation(template: "t", line: 4))
        ) { try ChatTemplate(source: "a\n{% if x %}\nb\n{{ c }}", name: "t") }
    }

    @Test func anErrorInAMacroNamesTheLineInTheMacro() {
        let source = "{% macro m(x) %}\n{{ x + 1 }}\n{% endmacro %}\n\n{{ m('a') }}"
        #expect(
            throws: TemplateError.type(
                "can only concatenate str (not \"int\") to str",
                at: TemplateLocation(template: "chat_template", line: 2))
        ) { try ChatTemplate(source: source).render([]) }
    }

    @Test func theTemplatesOwnRefusalKeepsItsWords() throws {
        let template = try ChatTemplate(source: "\n{{ raise_exception('Roles must alternate: ' ~ n) }}")
        #expect(
            throws: TemplateError.raised(
                "Roles must alternate: 3", at: TemplateLocation(template: "chat_template", line: 2))
        ) { try template.render([("n", 3)]) }
    }

    @Test func tellsWhichVariablesItReads() throws {
        let template = try ChatTemplate(
            source: """
                {% set mine = 1 %}{% macro m(a, b=outer_default) %}{{ a }}{{ kwargs }}{{ in_macro }}{% endmacro %}
                {% for x in messages if wanted %}{{ loop.index }}{{ x.tools }}{{ mine }}{% set inner = x %}{% endfor %}
                {{ inner }}{% if tools is defined %}{{ m(1) }}{% endif %}{{ late }}{% set late = 1 %}{{ late }}
                {% set ns = namespace() %}{% set ns.y = bos_token %}{{ range(2) }}{% with w = 1 %}{{ w }}{% endwith %}{{ w }}
                """)
        #expect(
            template.referencedVariables == [
                "outer_default", "in_macro", "messages", "wanted", "inner", "tools", "late", "bos_token", "w",
            ])
    }

    @Test func ofEqualVariablesTheLastCounts() throws {
        #expect(try ChatTemplate(source: "{{ x }}").render([("x", 1), ("x", 2), ("unused", 3)]) == "2")
    }

    @Test func aGivenVariableHidesAFunction() throws {
        #expect(try ChatTemplate(source: "{{ range }}").render([("range", "mine")]) == "mine")
    }

    @Test func valuesFromLiteralsKeepTheirOrder() throws {
        let value: JinjaValue = ["z": 1, "a": [2.5, true, "x"], "m": .none]
        #expect(
            try ChatTemplate(source: "{{ v | tojson }}").render([("v", value)])
                == #"{"z": 1, "a": [2.5, true, "x"], "m": null}"#)
        let many = JinjaValue.object((0..<100).map { ("k\(99 - $0)", .int($0)) } + [("k50", "last")])
        let text = try ChatTemplate(source: "{{ v | list | first }} {{ v.k0 }} {{ v.k50 }} {{ v | length }}").render([
            ("v", many)
        ])
        #expect(text == "k99 99 last 100")
    }

    /// Canonically equivalent strings are different keys and different values, as in Python.
    @Test func stringsAreComparedByScalars() throws {
        let dict = JinjaValue.object([("\u{E9}", 1), ("e\u{301}", 2)])
        let source = "{{ d | length }} {{ d['\\u00e9'] }} {{ d['e\\u0301'] }} {{ '\\u00e9' == 'e\\u0301' }}"
        #expect(try ChatTemplate(source: source).render([("d", dict)]) == "2 1 2 False")
    }

    @Test func theSystemClockShowsLocalTime() throws {
        let template = try ChatTemplate(source: "{{ strftime_now('%Y-%m-%d') }}")
        let before = TemplateClock.system.now()
        let text = try template.render([])
        let after = TemplateClock.system.now()
        let days = [before, after].map { time in
            "\(time.year)-" + (time.month < 10 ? "0" : "") + "\(time.month)-" + (time.day < 10 ? "0" : "")
                + "\(time.day)"
        }
        #expect(days.contains(text))
    }

    @Test(arguments: [
        (LocalTime(year: 2024, month: 2, day: 29), "Thu 060"), (LocalTime(year: 2000, month: 12, day: 31), "Sun 366"),
        (LocalTime(year: 1900, month: 3, day: 1), "Thu 060"), (LocalTime(year: 2026, month: 1, day: 1), "Thu 001"),
    ])
    func aFixedClockKnowsWeekdayAndDayOfYear(_ time: LocalTime, _ expected: String) throws {
        #expect(try ChatTemplate(source: "{{ strftime_now('%a %j') }}").render([], clock: .fixed(time)) == expected)
    }

    @Test func oneTemplateRendersInManyTasks() async throws {
        let template = try ChatTemplate(
            source: """
                {% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + loop.index %}{{ m.content }},\
                {% endfor %}{{ ns.n }}
                """)
        await withTaskGroup(of: Bool.self) { group in
            for task in 0..<32 {
                group.addTask {
                    let messages = JinjaValue.array((0...task).map { ["content": .string("\(task).\($0)")] })
                    let expected = (0...task).map { "\(task).\($0)," }.joined() + "\((task + 1) * (task + 2) / 2)"
                    return (0..<20).allSatisfy { _ in (try? template.render([("messages", messages)])) == expected }
                }
            }
            for await isRight in group { #expect(isRight) }
        }
    }
}
