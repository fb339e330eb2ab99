import ChatTemplates
import Glibc
import Testing

/// What a hostile template may try: each attempt must end soon, with an error that says which limit it met.
@Suite struct LimitTests {
    private func limit(
        _ source: String, _ variables: [(String, JinjaValue)] = [], _ change: (inout JinjaLimits) -> Void = { _ in }
    ) -> JinjaLimits.Exceeded? {
        var limits = JinjaLimits.standard
        // Only the test of time may depend on the machine's speed.
        limits.duration = .seconds(3600)
        change(&limits)
        do {
            let text = try ChatTemplate(source: source).render(variables, limits: limits)
            Issue.record("rendered \(text.prefix(40).debugDescription): \(source.prefix(80))")
        } catch .limit(let exceeded, let location) {
            #expect(location.line == 1)
            return exceeded
        } catch {
            Issue.record("\(error): \(source.prefix(80))")
        }
        return nil
    }

    @Test(arguments: [
        "{{ 'x' * 10**9 }}", "{{ 'x' * 9223372036854775807 }}", "{{ 'x'.center(10**9) }}", "{{ 'x'.zfill(10**12) }}",
        "{{ 'x'.ljust(10**9, 'é') }}", "{{ '%1000000000d' % 1 }}", "{{ '{:>1000000000}'.format(1) }}",
        "{{ 'a' | indent(10**9) }}", "{{ ('x' * 10**6).replace('x', 'y' * 10**6) }}",
        "{{ ('x' * 10**6).replace('', 'y' * 10**6) }}",
        "{{ (['x' * 10**6] * 100) | join }}", "{{ ('x' * 10**6).join(['a'] * 100) }}", "{{ '\t'.expandtabs(10**9) }}",
        "{% set ns = namespace(s='xxxxxxxx') %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
        "{% set ns = namespace(s='xxxxxxxx') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
        "{% set ns = namespace(l=['x']) %}{% for i in range(60) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l }}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(60) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l | tojson }}",
        "{% macro m() %}{{ 'x' * 10**7 }}{{ 'x' * 10**7 }}{% endmacro %}{{ m() | length }}",
    ])
    func noStringGrowsWithoutBound(_ source: String) {
        #expect(limit(source) == .stringBytes(16 << 20), "\(source)")
    }

    @Test func noListGrowsWithoutBound() {
        #expect(limit("{{ [1] * 10**9 }}") == .elements(1_000_000))
        #expect(limit("{{ (1, 2) * 9223372036854775807 }}") == .elements(1_000_000))
        #expect(limit("{{ [1] | slice(10**9) | list }}") == .elements(1_000_000))
        #expect(limit("{{ [1] | batch(10**9, 0) | list }}") == .elements(1_000_000))
        #expect(limit("{{ ('x' * 2000000) | list }}") == .elements(1_000_000))
        let doubling = "{% set ns = namespace(l=[1]) %}{% for i in range(60) %}{% set ns.l = ns.l + ns.l %}{% endfor %}"
        #expect(limit(doubling) == .elements(1_000_000))
    }

    @Test func rangesAreBoundedAsInTheReference() throws {
        #expect(limit("{% for x in range(10**9) %}{% endfor %}") == .rangeElements(100_000))
        #expect(limit("{{ range(-9223372036854775807, 9223372036854775807) }}") == .rangeElements(100_000))
        #expect(try ChatTemplate(source: "{{ range(100000) | length }}").render([]) == "100000")
    }

    @Test func integersDoNotWrap() {
        #expect(limit("{{ 9223372036854775807 + 1 }}") == .integer)
        #expect(limit("{{ 10**19 }}") == .integer)
        #expect(limit("{{ 2**10**9 }}") == .integer)
        #expect(limit("{{ (-9223372036854775807 - 1) // -1 }}") == .integer)
        #expect(limit("{{ (-9223372036854775807 - 1) | abs }}") == .integer)
        #expect(limit("{{ '9223372036854775808' | int }}") == .integer)
    }

    @Test func loopsEnd() {
        let nested = "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}"
        #expect(limit(nested) == .iterations(1_000_000))
        let filtered = "{% for a in range(1000) %}{% for b in range(100000) if false %}{% endfor %}{% endfor %}"
        #expect(limit(filtered) == .iterations(1_000_000))
    }

    @Test func workIsBoundedWhateverTheTemplateDoes() {
        let searching = "{% set s = 'a' * 10**7 %}{% for i in range(100000) %}{{ 'b' in s }}{% endfor %}"
        #expect(limit(searching) { $0.steps = 1_000_000 } == .steps(1_000_000))
        // Equal as far as anybody looks, and exponentially large.
        let comparing = """
            {% set a = namespace(l=[1]) %}{% set b = namespace(l=[1]) %}{% for i in range(60) %}\
            {% set a.l = [a.l, a.l] %}{% set b.l = [b.l, b.l] %}{% endfor %}{{ a.l == b.l }}
            """
        #expect(limit(comparing) { $0.steps = 1_000_000 } == .steps(1_000_000))
        let hashing = """
            {% set a = namespace(l=(1,)) %}{% for i in range(60) %}{% set a.l = (a.l, a.l) %}{% endfor %}{{ {a.l: 1} }}
            """
        #expect(limit(hashing) { $0.steps = 1_000_000 } == .steps(1_000_000))
    }

    @Test func memoryIsBoundedAlsoInManyPieces() {
        let hoarding = """
            {% set s = 'x' * 10**7 %}{% set ns = namespace(l=[]) %}\
            {% for i in range(100000) %}{% set ns.l = ns.l + [s ~ i] %}{% endfor %}
            """
        #expect(limit(hoarding) { ($0.steps, $0.totalBytes) = (.max, 100 << 20) } == .totalBytes(100 << 20))
    }

    @Test func outputIsBounded() {
        let talking = "{% for i in range(100000) %}{{ 'x' * 1000 }}{% endfor %}"
        #expect(limit(talking) == .outputBytes(16 << 20))
        #expect(limit("{{ 'abcdef' }}") { $0.outputBytes = 5 } == .outputBytes(5))
    }

    @Test func timeIsBounded() {
        let source = "{% for a in range(1000) %}{% for b in range(900) %}{{ '' }}{% endfor %}{% endfor %}"
        #expect(limit(source) { $0.duration = .zero } == .duration(.zero))
    }

    /// Every way of recursing, on a thread with half a megabyte of stack.
    @Test func recursionEndsBeforeTheStackDoes() {
        let sources = [
            "{% macro m(n) %}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}",
            "{% macro m() %}{% for x in [1] %}{% if true %}{{ 'a' ~ m() }}{% endif %}{% endfor %}{% endmacro %}{{ m() }}",
            "{% macro m(n=m()) %}{{ n }}{% endmacro %}{{ m() }}",
            "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
            "{% macro m() %}{% filter upper %}{{ m() }}{% endfilter %}{% endmacro %}{{ m() }}",
            "{% macro m() %}{% set x %}{{ m() }}{% endset %}{% endmacro %}{{ m() }}",
            "{% macro m() %}{{ [1, {'a': (m() | upper)}] | join }}{% endmacro %}{{ m() }}",
            "{% macro m() %}{% if m() is string %}{% endif %}{% endmacro %}{{ m() }}",
            "{% macro m() %}{{ caller() }}{% endmacro %}{% macro r() %}{% call m() %}{{ r() }}{% endcall %}{% endmacro %}{{ r() }}",
            "{% set ns = namespace() %}{% set ns.me = ns %}{{ ns }}",
        ]
        let results = onSmallStack {
            sources.map { limit($0) }
        }
        for (source, result) in zip(sources, results) {
            #expect(result == .recursion(JinjaLimits.standard.recursion), "\(source)")
        }
    }

    @Test func valuesNestOnlySoDeep() {
        let source = "{% set ns = namespace(l=[]) %}{% for i in range(100000) %}{% set ns.l = [ns.l] %}{% endfor %}"
        #expect(limit(source) == .nesting(150))
        let dicts = "{% set ns = namespace(d={}) %}{% for i in range(100000) %}{% set ns.d = {'k': ns.d} %}{% endfor %}"
        #expect(limit(dicts) == .nesting(150))
        var value: JinjaValue = 1
        for _ in 0..<200 { value = .array([value]) }
        #expect(limit("{{ x }}", [("x", value)]) == .nesting(150))
    }

    /// Sources that nest deeper than the parser goes are refused by it; what is just within parses on a small stack.
    @Test func theParserRecursesOnlySoDeep() throws {
        func nested(_ open: String, _ core: String, _ close: String, _ count: Int) -> String {
            String(repeating: open, count: count) + core + String(repeating: close, count: count)
        }
        let shapes: [(Int) -> String] = [
            { count in "{{ " + nested("(", "1", ")", count) + " }}" },
            { count in "{{ " + nested("[", "1", "]", count) + " }}" },
            { count in "{{ " + nested("{1: ", "1", "}", count) + " }}" },
            { count in "{{ " + nested("f(", "1", ")", count) + " }}" },
            { count in "{{ " + nested("x[", "1", "]", count) + " }}" },
            { count in "{{ " + nested("not ", "1", "", count) + " }}" },
            { count in "{{ " + nested("- ", "1", "", count) + " }}" },
            { count in "{{ " + nested("1 if 1 else ", "1", "", count) + " }}" },
            { count in nested("{% if 1 %}", "x", "{% endif %}", count) },
            { count in nested("{% for x in [] %}", "x", "{% endfor %}", count) },
            { count in "{% for " + nested("(", "a", ")", count) + " in [] %}{% endfor %}" },
            { count in "{{ 1" + String(repeating: " + 1", count: count) + " }}" },
            { count in "{{ 'a'" + String(repeating: " | upper", count: count) + " }}" },
            { count in "{{ a" + String(repeating: ".b", count: count) + " }}" },
        ]
        for (index, shape) in shapes.enumerated() {
            func outcome(_ count: Int) -> String {
                do {
                    _ = try ChatTemplate(source: shape(count))
                    return "parsed"
                } catch {
                    return error.message
                }
            }
            let outcomes = onSmallStack { [outcome(30), outcome(100_000)] }
            #expect(outcomes[0] == "parsed", "shape \(index)")
            #expect(outcomes[1].contains("deeper than"), "shape \(index): \(outcomes[1])")
        }
        #expect(throws: TemplateError.self) {
            try ChatTemplate(source: String(repeating: "x", count: 5 << 20))
        }
    }

    /// A source that only opens things must not take quadratic time.
    @Test func parsingIsLinearEnough() throws {
        let units = [
            "{", "{{ 1 }}", "{% if 1 %}{% endif %}", "\n{#- x -#}", "{% raw %}{% endraw %}", "{{'\\n'}}", "   {{- ' '",
        ]
        for unit in units {
            _ = try? ChatTemplate(source: String(repeating: unit, count: 40_000))
        }
    }

    /// Runs something on a thread of its own with 512 KiB of stack.
    private func onSmallStack<Result>(_ body: () -> [Result]) -> [Result] {
        withoutActuallyEscaping(body) { body in
            let box = StackBox(body)
            var attributes = pthread_attr_t()
            pthread_attr_init(&attributes)
            pthread_attr_setstacksize(&attributes, 512 << 10)
            var thread = pthread_t()
            pthread_create(
                &thread, &attributes,
                { argument in
                    if let argument { Unmanaged<AnyStackBox>.fromOpaque(argument).takeUnretainedValue().run() }
                    return nil
                }, Unmanaged<AnyStackBox>.passUnretained(box).toOpaque())
            pthread_join(thread, nil)
            return box.result
        }
    }
}

private class AnyStackBox {
    func run() {}
}

private final class StackBox<Result>: AnyStackBox {
    private let body: () -> [Result]
    private(set) var result: [Result] = []

    init(_ body: @escaping () -> [Result]) { self.body = body }

    override func run() { result = body() }
}
