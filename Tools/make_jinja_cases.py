"""Writes Tests/ChatTemplatesTests/ExpressionCases.swift: small templates with what Python's jinja2 makes of them.

Run by hand with jinja2 3.1.6 installed: python3 Tools/make_jinja_cases.py
The environment is the one that transformers gives chat templates.
"""

import json
import pathlib
from datetime import datetime

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.sandbox import ImmutableSandboxedEnvironment

VARIABLES = {
    "n": 7,
    "f": 2.5,
    "s": "Hello, Wörld",
    "empty": "",
    "t": True,
    "nothing": None,
    "xs": [3, 1, 2],
    "words": ["pear", "Apple", "fig", "apple"],
    "d": {"b": 1, "a": [1, {"x": None}], "items": "shadowed", "ü": "\u00e9\"\n"},
    "people": [
        {"name": "Ann", "age": 31, "city": {"zip": "1010"}},
        {"name": "bob", "age": 4},
        {"name": "Cy", "age": 31, "city": {"zip": "8001"}},
    ],
    "wide": "a\u0301\U0001F468\u200D\U0001F469z",
    "deep": {"k": [{"v": "x"}, {"v": "y"}]},
    "html": "<a href=\"x\">&'</a>",
}

TEMPLATES = r"""
{{ 1 + 2 * 3 - 4 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ 7 / 2 }} {{ 6 / 3 }} {{ 2 ** 10 }} {{ 2 ** -1 }} {{ 2 ** 3 ** 2 }} {{ -2 ** 2 }}
{{ 7.5 // 2 }} {{ -7.5 % 2 }} {{ 7 % 2.5 }} {{ -0.0 }} {{ 0.0 % -3 }} {{ 1e3 }} {{ 5e-324 }}
{{ 1e16 }} {{ 123456789012345.0 }} {{ 1e15 }} {{ 0.0001 }} {{ 0.00001 }} {{ 1.5e300 }} {{ 12345678901234567.0 }} {{ 0.1 + 0.2 }} {{ 1/3 }}
{{ true }} {{ false }} {{ none }} {{ True + 1 }} {{ true and 'x' }} {{ '' or 'y' }} {{ not '' }} {{ 0 or none }} {{ [] or {} }}
{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 1 == 1.0 }} {{ true == 1 }} {{ '1' == 1 }} {{ [1, 2] == [1, 2.0] }} {{ (1,) == [1] }} {{ none == false }}
{{ 'a' < 'b' }} {{ 'Z' < 'a' }} {{ 'é' > 'z' }} {{ [1, 2] < [1, 3] }} {{ (1,) < (1, 0) }} {{ {'a': 1, 'b': 2} == {'b': 2, 'a': 1} }}
{{ 2 in xs }} {{ 9 not in xs }} {{ 'ell' in s }} {{ '' in s }} {{ 'b' in d }} {{ 'zz' in d }} {{ 1 in {'a': 1} }} {{ x in undefined_thing }}
{{ 'a' ~ 1 ~ none ~ 2.0 ~ [1, 'b'] ~ {'k': (1,)} ~ missing ~ 'z' }}
{{ 'yes' if n > 5 else 'no' }} {{ 'only' if n < 5 }}| {{ 1 if t else 2 if f else 3 }}
{{ [1, 'two', 3.0, none, true, (), (1,), (1, 2), {'a': 'b"c'}, "it's", 'q"\'', '\t\n\\\x07\u200b\U0001F600é'] }}
{{ {} }} {{ {'a': {'b': [1]}} }} {{ {1: 2, none: 3, true: 4, (1, 2): 5} }} {{ {'a': 1, 'a': 2} }}
{{ 'a' 'b' "c" }} {{ '\x41\u00e9\101\q\\' }} {{ "tab\there" }} {{ 'nl\
joined' }}
{{ 0x1F }} {{ 0b101 }} {{ 0o17 }} {{ 1_000 }} {{ 1_0.5 }} {{ 1.5e2 }} {{ 2E3 }}
{{ xs[0] }} {{ xs[-1] }} {{ xs[9] }}| {{ xs.0 }} {{ xs[true] }} {{ s[1] }} {{ s[-1] }} {{ s[99] }}| {{ d['b'] }} {{ d.b }} {{ d.a[1].x }} {{ d['nope'] }}|
{{ xs[1:] }} {{ xs[:-1] }} {{ xs[::-1] }} {{ xs[::2] }} {{ s[1:4] }} {{ s[-3:] }} {{ s[::-1] }} {{ s[5:2] }}| {{ (1,2,3)[1:] }} {{ range(10)[2:8:3] | list }} {{ xs[5:] }} {{ xs[-99:99] }} {{ s[8:0:-2] }} {{ xs[none:none] }}
{{ wide | length }} {{ wide[0] }} {{ wide[1:2] | length }} {{ wide[::-1] | length }} {{ wide.upper() }} {{ wide | list | length }} {{ wide.find('z') }}
{{ d.items() | list }} {{ d['items'] }} {{ d.get('b') }} {{ d.get('q') }} {{ d.get('q', 5) }} {{ d.keys() | list }} {{ d.values() | list }} {{ d.copy() == d }}
{{ {'a': 1}.items() }} {{ {'a': 1}.keys() }} {{ {'a': 1}.values() }} {{ {'a': 1, 'b': 2}.items() | length }}
{{ d.missing }}|{{ d.missing is defined }} {{ nope is defined }} {{ nope }}| {{ nope is undefined }} {{ nope == nope2 }} {{ nope | length }} {{ nope | list }} {{ [nope] }}
{{ xs.index(1) }} {{ xs.count(3) }} {{ (1, 2, 1).count(1) }} {{ (1, 2).index(2) }} {{ xs.copy() }}
{{ n.bit_length() }} {{ f.is_integer() }} {{ 2.0.is_integer() }} {{ n.real }} {{ n.imag }}
{{ 'a,b,,c'.split(',') }} {{ ' a  b c '.split() }} {{ 'a b c d'.split(' ', 2) }} {{ ' a b  c d '.split(none, 1) }} {{ 'abc'.split('x') }} {{ ''.split() }} {{ ''.split(',') }} {{ 'aXbXc'.split('X', maxsplit=1) }} {{ 'a--b--c'.split('--')[-1] }}
{{ 'a,b,c'.rsplit(',', 1) }} {{ ' a b c '.rsplit(none, 1) }} {{ 'aaa'.rsplit('aa') }} {{ 'aaa'.split('aa') }} {{ 'é,è'.rsplit(',') }}
{{ '  x y '.strip() }}| {{ '  x '.lstrip() }}| {{ '  x '.rstrip() }}| {{ 'xxaxx'.strip('x') }} {{ 'abcab'.rstrip('ab') }} {{ 'abcab'.lstrip('ba') }} {{ '\u00a0\u2003x\u3000'.strip() }} {{ '\u200bx'.strip() | length }}
{{ 'Hello'.startswith('He') }} {{ 'Hello'.startswith(('x', 'H')) }} {{ 'Hello'.endswith('lo') }} {{ 'Hello'.startswith('l', 2) }} {{ 'Hello'.endswith('l', 0, 4) }} {{ 'Hello'.startswith('') }}
{{ 'aXbXc'.replace('X', '--') }} {{ 'aaa'.replace('a', 'b', 2) }} {{ 'abc'.replace('', '.') }} {{ 'abc'.replace('', '.', 2) }} {{ 'aaaa'.replace('aa', 'a') }} {{ 'é'.replace('é', 'e') }}
{{ 'hello wORLD'.title() }} {{ "they're bill's".title() }} {{ 'hELLO'.capitalize() }} {{ 'straße'.upper() }} {{ 'ÀÉ'.lower() }} {{ 'aBc'.swapcase() }} {{ 'Straße'.casefold() }} {{ 'ΑΣ ΑΣΑ'.lower() }} {{ 'ǆ'.title() }} {{ 'ﬁx'.capitalize() }}
{{ 'abcabc'.find('c') }} {{ 'abcabc'.rfind('c') }} {{ 'abc'.find('z') }} {{ 'abcabc'.index('b', 2) }} {{ 'abcabc'.count('bc') }} {{ 'aaaa'.count('aa') }} {{ 'abc'.count('') }} {{ 'éab'.find('b') }} {{ 'abc'.find('', 3) }} {{ 'abc'.find('c', -1) }}
{{ 'a-b-c'.partition('-') }} {{ 'a-b-c'.rpartition('-') }} {{ 'abc'.partition('-') }} {{ 'abc'.rpartition('-') }}
{{ 'ab'.center(5) }}| {{ 'ab'.center(6, '*') }} {{ 'abc'.center(6, '*') }} {{ 'ab'.ljust(4, '.') }} {{ 'ab'.rjust(4) }} {{ '42'.zfill(5) }} {{ '-42'.zfill(5) }} {{ '+1'.zfill(1) }} {{ 'é'.ljust(3, 'è') }}
{{ ', '.join(['a', 'b']) }} {{ '-'.join('abc') }} {{ ''.join([]) }}| {{ '-'.join({'x': 1, 'y': 2}) }}
{{ 'a\nb\r\nc\n'.splitlines() }} {{ 'a\nb'.splitlines(true) }} {{ 'a\x0bb\x85c\u2028d'.splitlines() }} {{ '\n\n'.splitlines() }}
{{ 'a\tbc\td'.expandtabs(4) }} {{ 'prefix-x'.removeprefix('prefix-') }} {{ 'x.txt'.removesuffix('.txt') }} {{ 'x'.removeprefix('y') }}
{{ 'abc'.isalpha() }} {{ 'ab1'.isalnum() }} {{ '12'.isdigit() }} {{ '²'.isdigit() }} {{ '½'.isnumeric() }} {{ '٣'.isdecimal() }} {{ ' \t'.isspace() }} {{ ''.isspace() }} {{ 'abc'.islower() }} {{ 'ABC1'.isupper() }} {{ 'Ab Cd'.istitle() }} {{ 'ab'.isascii() }} {{ '日本'.isalpha() }} {{ '1a'.isidentifier() }} {{ 'é_1'.isidentifier() }} {{ 'x\n'.isprintable() }}
{{ '{} and {}'.format(1, 'b') }} {{ '{1}-{0}-{name}'.format('a', 'b', name='c') }} {{ '{0[k]}'.format({'k': 5}) }} {{ '{{}}'.format() }} {{ '{:>6}|{:<6}|{:^6}|{:*^7}'.format('a', 'b', 'c', 'd') }} {{ '{:05d} {:+d} {:,} {:x} {:#x} {:b} {:.2f} {:e} {:g} {:%}'.format(42, 5, 1234567, 255, 255, 5, 3.14159, 12345.678, 0.0001, 0.25) }} {{ '{!r} {!s}'.format('q', 'q') }} {{ '{:.3}'.format('abcdef') }} {{ '{:{}}'.format('a', 5) }}| {{ '{:8.2f}|{:<8}|{:08.3f}'.format(2.5, 3, -2.5) }} {{ '{:.3}'.format(1234.5) }} {{ '{}'.format(2.0) }} {{ '{:_}'.format(1234567.5) }}
{{ '%s %s' % ('a', 1) }} {{ '%d' % 3.9 }} {{ '%5d|%-5d|%05d|%+d' % (42, 42, 42, 42) }} {{ '%.2f' % 2.675 }} {{ '%x %X %o' % (255, 255, 8) }} {{ '%(a)s' % {'a': 'k'} }} {{ '100%%' % () }} {{ '%r' % 'x' }} {{ '%5s|%-5s|' % ('a', 'b') }} {{ '%e %g' % (1234.5, 0.00001) }} {{ '%s' % [1] }} {{ '%c' % 'x' }} {{ '%.1s' % 'xyz' }} {{ '%*d' % (5, 3) }} {{ '%#x' % 255 }}
{{ '%s, %s' | format('a', 2) }} {{ '%(x)s' | format(x=3) }}
{{ s | upper }} {{ s | lower }} {{ s | capitalize }} {{ 'hello wORLD-foo (bar' | title }} {{ "they're" | title }} {{ 5 | string }} {{ none | string }} {{ nope | upper }}| {{ 3.0 | upper }}
{{ '  a ' | trim }}| {{ 'xxaxx' | trim('x') }} {{ 5 | trim }} {{ nope | trim }}|
{{ 'a b a' | replace('a', 'x') }} {{ 'aaa' | replace('a', 'b', 1) }} {{ 121 | replace(1, 3) }}
{{ xs | join(', ') }} {{ xs | join }} {{ people | join('; ', attribute='name') }} {{ 'abc' | join('-') }} {{ nope | join(',') }}| {{ d | join('/') }} {{ [none, 1.0, true] | join(' ') }}
{{ xs | first }} {{ xs | last }} {{ [] | first }}| {{ 'abc' | first }} {{ 'abc' | last }} {{ d | first }} {{ d | last }} {{ nope | first }}|
{{ xs | length }} {{ s | count }} {{ d | length }} {{ range(5) | length }}
{{ xs | sort }} {{ xs | sort(reverse=true) }} {{ words | sort }} {{ words | sort(case_sensitive=true) }} {{ people | sort(attribute='age') | map(attribute='name') | list }} {{ people | sort(attribute='age,name', reverse=true) | map(attribute='name') | join(',') }} {{ 'bca' | sort }} {{ [[2, 1], [1, 9]] | sort(attribute=0) }}
{{ {'b': 1, 'A': 2, 'c': 0} | dictsort }} {{ {'b': 1, 'A': 2} | dictsort(true) }} {{ {'b': 1, 'a': 2} | dictsort(by='value') }} {{ {'b': 1, 'a': 2} | dictsort(reverse=true) }}
{{ words | unique | list }} {{ words | unique(true) | list }} {{ people | unique(attribute='age') | map(attribute='name') | list }} {{ [1, 1.0, true, 2] | unique | list }}
{{ xs | min }} {{ xs | max }} {{ words | min }} {{ people | max(attribute='age') }} {{ [] | min }}| {{ xs | sum }} {{ people | sum(attribute='age') }} {{ [[1], [2]] | sum(start=[]) }} {{ [] | sum }}
{{ xs | reverse | list }} {{ 'abc' | reverse }} {{ range(3) | reverse | list }} {{ {'a': 1, 'b': 2} | reverse | list }}
{{ xs | map('string') | list }} {{ words | map('upper') | join(' ') }} {{ people | selectattr('city') | map(attribute='city.zip') | list }} {{ people | map(attribute='nick', default='-') | list }} {{ ['a b'] | map('replace', ' ', '_') | list }} {{ [[1, 2], [3]] | map('first') | list }} {{ deep.k | map(attribute='v') | list }} {{ people | map(attribute='city.zip', default='?') | list }}
{{ xs | select('odd') | list }} {{ xs | reject('odd') | list }} {{ [0, 1, '', 'a', none] | select | list }} {{ people | selectattr('city') | map(attribute='name') | list }} {{ people | selectattr('age', 'eq', 31) | map(attribute='name') | list }} {{ people | rejectattr('city', 'defined') | map(attribute='name') | list }} {{ people | selectattr('age', '>', 5) | list | length }} {{ xs | select('in', [1, 2]) | list }} {{ people | selectattr('name', 'equalto', 'bob') | first }} {{ nope | select | list }}
{{ people | groupby('age') }} {% for age, group in people | groupby('age') %}{{ age }}:{{ group | length }};{% endfor %} {% for g in people | groupby('age') %}{{ g.grouper }}={{ g.list | map(attribute='name') | join('+') }};{% endfor %} {{ words | groupby('0') | map('first') | list }}
{{ [1, 2, 3, 4, 5] | batch(2) | list }} {{ [1, 2, 3] | batch(2, 'x') | list }} {{ [1, 2, 3, 4, 5] | slice(3) | list }} {{ [1, 2, 3, 4, 5] | slice(3, 0) | list }}
{{ nope | default('x') }} {{ '' | default('x') }}| {{ '' | default('x', true) }} {{ none | d('y') }} {{ none | default('y', boolean=true) }} {{ d.q | default }}|
{{ '12' | int }} {{ 'x' | int }} {{ 'x' | int(9) }} {{ '4.9' | int }} {{ 4.9 | int }} {{ '0x1f' | int(base=16) }} {{ '101' | int(0, 2) }} {{ ' 7 ' | int }} {{ '-3' | int }} {{ true | int }} {{ none | int }} {{ '1_000' | int }} {{ '1e3' | int }} {{ [] | int(5) }}
{{ '1.5' | float }} {{ 'x' | float }} {{ 'x' | float(2.5) }} {{ 3 | float }} {{ ' 1e3 ' | float }} {{ '.5' | float }} {{ '5.' | float }} {{ 'inf' | float }} {{ '-Infinity' | float }} {{ 'nan' | float }} {{ '1_0.5' | float }} {{ '0x1' | float }} {{ '1.e2' | float }}
{{ 2.675 | round(2) }} {{ 2.5 | round }} {{ 3.5 | round }} {{ 42.55 | round(1, 'floor') }} {{ 42.1 | round(method='ceil') }} {{ 1234 | round(-2) }} {{ 1250 | round(-2) }} {{ 1350 | round(-2) }} {{ 7 | round }} {{ -2.5 | round }} {{ 1e20 | round }} {{ 0.1 | round(3) }} {{ 5 | round(1, 'floor') }}
{{ -5 | abs }} {{ (-5) | abs }} {{ (-2.5) | abs }} {{ true | abs }}
{{ 'a\nb\n\nc' | indent }} {{ 'a\nb' | indent(2, true) }} {{ 'a\n\nb' | indent(2, blank=true) }} {{ 'a\nb' | indent('> ', first=true) }} {{ 'a\n' | indent }}| {{ '' | indent(2, true) }}|
{{ 'foo bar baz qux' | truncate(9) }} {{ 'foo bar baz qux' | truncate(9, true) }} {{ 'foo bar baz qux' | truncate(11) }} {{ 'foo bar baz qux' | truncate(11, false, '…', 0) }} {{ 'short' | truncate }}
{{ 'one two, three_4 é' | wordcount }} {{ 'a/b c?é' | urlencode }} {{ {'a b': 'c&d', 'e': 1} | urlencode }} {{ 'ab' | center(6) }}| {{ 5 | attr('real') }} {{ d | attr('b') }}|
{{ html | escape }} {{ html | e | e }} {{ html | forceescape }} {{ html | safe }} {{ 'a' | safe + '<' }} {{ '<' + ('b' | safe) }} {{ ('<%s>' | safe) % html }} {{ ['a' | safe] }} {{ ('a' | safe).upper() + '&' }} {{ ('x' | safe).replace('x', '<') + '' }} {{ ('<' | safe) ~ '<' }} {{ ('a,b' | safe).split(',')[0] + '<' }} {{ 'x' | safe is string }} {{ html | e is escaped }} {{ ('-' | safe).join(['<', 'a']) }} {{ ('{}' | safe).format('<') }} {{ ('a' | safe)[0] + '<' }} {{ ('a' | safe) * 2 + '<' }}
{{ d | tojson }} {{ [1, 2.0, 1e20, none, true, 'ü\u2028"\\/\x01\x7f', (1, 2)] | tojson }} {{ {} | tojson }} {{ [] | tojson }} {{ 'é😀\x7f' | tojson(ensure_ascii=true) }} {{ {1: 2, none: 3, true: 4, 2.5: 5} | tojson }}
{{ d | tojson(indent=2) }}
{{ [[], {}, [1]] | tojson(indent=4) }} {{ [1] | tojson(indent=0) }} {{ {'a': 1} | tojson(indent='\t') }}
{{ {'b': 1, 'a': {'d': 1, 'c': 2}} | tojson(sort_keys=true) }} {{ [1, {'a': 2}] | tojson(separators=(',', ':')) }} {{ {'a': [1, 2]} | tojson(indent=1, separators=(', ', '=')) }} {{ 'x' | safe | tojson }} {{ 1e22 | tojson }} {{ (1e300 * 1e10) | tojson }}
{{ 3 is odd }} {{ 4 is even }} {{ 9 is divisibleby 3 }} {{ 9 is divisibleby(2) }} {{ none is none }} {{ 1 is number }} {{ true is number }} {{ '1' is number }} {{ true is boolean }} {{ 1 is boolean }} {{ 1 is integer }} {{ true is integer }} {{ 1.0 is float }} {{ true is true }} {{ 1 is true }} {{ 0 is false }}
{{ 'a' is string }} {{ d is mapping }} {{ xs is mapping }} {{ xs is sequence }} {{ s is sequence }} {{ d is sequence }} {{ 5 is sequence }} {{ range(3) is sequence }} {{ xs is iterable }} {{ 5 is iterable }} {{ none is iterable }} {{ nope is iterable }} {{ nope is sequence }} {{ d.items() is iterable }} {{ d.items() is sequence }} {{ range is callable }} {{ 5 is callable }} {{ d.get is callable }}
{{ 'abc' is lower }} {{ 'ABC' is upper }} {{ 'Abc' is lower }} {{ 1 is eq 1 }} {{ 1 is ne 2 }} {{ 2 is gt 1 }} {{ 2 is le(1) }} {{ 1 is in xs }} {{ 'x' is not in ['y'] }} {{ none is sameas none }} {{ 1 is not none }} {{ 'upper' is filter }} {{ 'nope' is filter }} {{ 'odd' is test }} {{ n is defined and n > 3 }} {{ n is not defined or true }}
{% for x in xs %}{{ loop.index }}/{{ loop.length }}:{{ x }}{{ ',' if not loop.last }}{% endfor %}
{% for x in [] %}never{% else %}empty{% endfor %} {% for x in nope %}never{% else %}undefined is empty{% endfor %}
{% for x in xs %}{{ loop.index0 }} {{ loop.revindex }} {{ loop.revindex0 }} {{ loop.first }} {{ loop.last }} {{ loop.previtem }} {{ loop.nextitem }} {{ loop.cycle('a', 'b') }} {{ loop.depth }}|{% endfor %}
{% for k, v in {'a': 1, 'b': 2}.items() %}{{ k }}={{ v }} {% endfor %}{% for k in d %}{{ k }} {% endfor %}{% for c in 'aé' %}[{{ c }}]{% endfor %}
{% for x in [1, 2, 3, 4] if x is even %}{{ loop.index }}{{ x }}{{ loop.last }}{{ loop.length }} {% endfor %}{% for x in [1] if x > 5 %}a{% else %}none left{% endfor %}
{% for x in [1, 2, 3, 4, 5] %}{% if x == 2 %}{% continue %}{% endif %}{% if x == 4 %}{% break %}{% endif %}{{ x }}{% endfor %}
{% for row in [[1, 2], [3]] %}{% for c in row %}{{ loop.index }}.{{ c }} {% endfor %}{{ loop.index }}|{% endfor %}
{% for x in [1, 1, 2, 2, 1] %}{{ loop.changed(x) }} {% endfor %}
{% set tree = [{'v': 1, 'c': [{'v': 2, 'c': [{'v': 3}]}]}, {'v': 4}] %}{% for node in tree recursive %}{{ loop.depth }}{{ loop.depth0 }}:{{ node.v }}({{ loop(node.c) if node.c }}) {% endfor %}
{% for (a, (b, c)) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}{% for a, b in ['xy', 'zw'] %}{{ b }}{{ a }}{% endfor %}
{% set x = 1 %}{% for i in [1, 2] %}{% set x = x + i %}{{ x }} {% endfor %}{{ x }}
{% set ns = namespace(x=1, y='a') %}{% for i in [1, 2] %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }} {{ ns.y }} {{ ns.nope }}| {{ ns }} {{ namespace({'q': 1}).q }}
{% if n == 1 %}a{% elif n == 7 %}b{% else %}c{% endif %} {% if not nope %}falsy{% endif %} {% if xs and d %}both{% endif %} {% if true %}{% set leak = 5 %}{% endif %}{{ leak }}
{% set a, b = 1, 2 %}{{ a }}{{ b }} {% set c = 1, %}{{ c }} {% set block %}x{{ n }}y{% endset %}[{{ block }}] {% set up | upper %}abc{% endset %}{{ up }} {% set z = [1, 2] %}{{ z }} {{ 1, 2 }}
{% with a = 1, b = n %}{{ a }}{{ b }}{% endwith %}{{ a }}| {% set a = 5 %}{% with a = 1, b = a %}{{ a }}{{ b }}{% endwith %}
{% filter upper | replace('A', 'b') %}a{{ 'aa' }}c{% endfilter %} {% filter indent(2) %}x
y{% endfilter %}
{% macro m(a, b=2, c='x') %}{{ a }}-{{ b }}-{{ c }}{% endmacro %}{{ m(1) }} {{ m(1, c=5) }} {{ m(b=1, a=2) }} {{ m() }} {{ m(*[1, 2]) }} {{ m(**{'a': 9}) }} {{ m.name }} {{ m.arguments }} {{ m }}
{% macro v(a) %}{{ a }} {{ varargs }} {{ kwargs }}{% endmacro %}{{ v(1, 2, 3, k=4) }} {{ v(1) }}
{% macro rec(k) %}{% if k > 0 %}{{ k }}{{ rec(k - 1) }}{% endif %}{% endmacro %}{{ rec(5) }}
{% macro outer(x) %}<{{ caller(x + 1) }}|{{ caller(0) }}>{% endmacro %}{% call(y) outer(1) %}[{{ y }}{{ n }}]{% endcall %}
{% macro c1() %}({{ caller() }}){% endmacro %}{% call c1() %}{% call c1() %}deep{% endcall %}{% endcall %} {% macro opt() %}{{ caller is defined }}{{ caller() if caller is defined else 'no caller' }}{% endmacro %}{{ opt() }}
{% set g = 1 %}{% macro seeing() %}{{ g }}{% endmacro %}{% set g = 2 %}{{ seeing() }} {% macro dflt(a, b=a) %}{{ b }}{% endmacro %}{{ dflt(3) }} {% macro inner() %}{% macro nested() %}N{% endmacro %}{{ nested() }}{% endmacro %}{{ inner() }}
{% macro ret() %}  x {% endmacro %}[{{ ret() | trim }}] {{ ret() is string }} {{ ret() | length }} {% macro set_outer() %}{% set q = 1 %}{% endmacro %}{{ set_outer() }}{{ q }}|
{{ range(3) | list }} {{ range(1, 10, 4) | list }} {{ range(5, 0, -2) | list }} {{ range(0) | list }} {{ range(3) }} {{ range(1, 9, 2) }} {{ 2 in range(3) }} {{ range(3) == range(0, 3) }} {{ range(5)[1] }} {{ range(5)[-1] }} {{ range(4).stop }}
{{ dict(a=1, b=2) }} {{ dict([('x', 1)]) }} {{ dict({'a': 1}, b=3) }} {% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }} {% set j = joiner('; ') %}{{ j() }}1{{ j() }}2{{ j() }}3
{{ strftime_now('%Y-%m-%d %H:%M:%S %A %a %B %b %j %y %d %e %I %p %M %%') }} {{ strftime_now('%-d %d/%m/%Y') }} {{ strftime_now('%w %U %f %z%Z|') }} {{ strftime_now('') }}|
{% raw %}{{ not }} {% rendered %}{# kept #}{% endraw %} {# gone #}x{#- gone -#}  y
{% generation %}inside {{ n }}{% set inner_only = 1 %}{% endgeneration %}{{ inner_only }}| {% block content %}block {{ n }}{% endblock %}
{{ [1, 2] + [3] }} {{ (1,) + (2,) }} {{ 'ab' * 3 }} {{ [0] * 3 }} {{ 2 * 'x' }} {{ 'x' * -1 }}| {{ (1, 2) * 2 }} {{ + 5 }} {{ - f }} {{ -true }}
{% set gen = xs | map('string') %}{{ gen | list }} {{ gen | list }} {% set it = d | items %}{{ it | list | length }} {{ {'a': 1} | items | list }} {{ nope | items | list }}
{{ (xs | map('string')) is iterable }} {{ 'ok' if xs | select('odd') else 'no' }} {{ d['get']('b') }} {{ 'abc'['upper']() }} {{ 'abc'.upper is defined }} {{ xs.append is defined }} {{ d.update is defined }} {{ s.__class__ is defined }} {{ xs.append }}|
{%- set m = [{'role': 'user', 'content': 'a'}] -%}  {{ m[0].role }} {{ m[0]['content'] }} {{ m[0].content is string }} {{ m[-1]['role'] == 'user' }} {{ m[0]['tool_calls'] is defined }} {{ m[0].get('tool_calls') is none }}
{{ 10000000000 * 10 }} {{ 9007199254740993 }} {{ 9223372036854775807 }} {{ 4611686018427387904 - 1 }} {{ 1 == 1.0000000000000002 }} {{ 3 | string + '3' }} {{ n // 2 * 2 }}
{{ loop }}| {{ self_is_nothing }}| {{ true.real }} {{ (1 if false) is defined }} {{ ('a' if false) ~ 'b' }} {{ {'a': nope}.a is defined }}
""".strip("\n")

# Layout matters in these, so each is a string of its own.
LAYOUT = [
    "a\n  {% if true %}\n  b\n  {% endif %}\nc\n",
    "a\n\n{% if true %}\n\nb\n{% endif %}\n\nc\n\n",
    "  {% for x in xs %}\n    {{ x }}\n  {% endfor %}  \nend",
    "{%- for x in xs -%}\n  {{ x }}  \n{%- endfor -%}\n",
    "a  {%- if true %}  b  {%- endif %}  c",
    "a {% if true -%}  b  {% endif -%}  c",
    "  {%+ if true %}x{%+ endif %}\n y",
    "{% if true +%}\nx{% endif +%}\ny",
    "  {# c #}\n  x {# c #}\n{#- d -#}\n  y",
    "x {{- ' a ' -}} y {{ 'b' -}}   z   {{- 'c' }}",
    "{{ 'a' }}\n{{ 'b' }}\n\n",
    "line1\r\nline2\r{{ n }}\r\n",
    "\t {% set q = 1 %}\t\n\tx{{ q }}",
    "x{% set q = 1 %}\n  {% set r = 2 %}\ny",
    "x\u00a0{%- if true %} y {% endif %}",
    "  {% raw %}\n  {{ x }}\n  {% endraw %}\nz",
    "{% raw -%}\n  a  {%- endraw %}\n b",
    "{% if true %}a{% endif %}   {% if true %}b{% endif %}\n   c",
    "{{ {'a': {'b': 1}} }} {{ {'a': {'b': 1}}['a']['b'] }}{{ '}}' }}{{ '%}' }}{{ \"{{ x }}\" }}",
    "{%if true%}tight{%endif%}{{n}}{{-n-}}",
    "{% for x in xs %}\n{{ x }}\n{% else %}\nnone\n{% endfor %}",
    "{%- macro m() -%}\n  a\n{%- endmacro -%}\n\n[{{ m() }}]",
    "{% set x %}\n  a\n{% endset %}[{{ x }}]",
    "{% if true %}\n\n\n  a{% endif %}",
    "{{ n\n  }} {{\n n }}",
    "a {#- x\ny -#} b\n {# multi\nline #}\nc",
    "é{{ 'ü' }}日{% if true %}本{% endif %}\n",
    "\n",
    "",
    "{{ '' }}",
    "x\n\n",
    " \n {%- if true %}y{% endif %}",
]

# Only the kind of failure and the line are compared, and the message where it is the template's or Jinja's own.
ERRORS = r"""
{{ nope.attr }}
{{ nope['x'] }}
{{ nope + 1 }}
{{ 1 + nope }}
{{ nope() }}
{{ d.q.r }}
{{ none.x.y }}
{{ n.foo.bar }}
{{ xs[9].x }}
{{ -nope }}
{{ nope < 1 }}
{{ nope | int }}
{{ nope[1:] }}
{{ s.nope() }}
{{ 'a' + 1 }}
{{ 1 + 'a' }}
{{ [1] + 'a' }}
{{ none + 1 }}
{{ {} + {} }}
{{ 'a' * 'b' }}
{{ 'a' - 1 }}
{{ 1 < 'a' }}
{{ none < 1 }}
{{ {} < {} }}
{{ 1 in 5 }}
{{ 1 in 'abc' }}
{{ 1 in none }}
{{ 5() }}
{{ 'x'() }}
{{ xs() }}
{{ 1 / 0 }}
{{ 1 // 0 }}
{{ 1 % 0 }}
{{ 1.0 / 0 }}
{{ {[]: 1} }}
{{ {}[[]].x }}
{{ nothing[1:] }}
{{ 5 | length }}
{{ none | length }}
{{ none | list }}
{{ 5 | join }}
{{ nope | tojson }}
{{ range | tojson }}
{{ range(3) | tojson }}
{{ {(1, 2): 3} | tojson }}
{{ (xs | map('string')) | tojson }}
{{ (xs | map('string')) | length }}
{{ 'x' | items | list }}
{{ [1, 'a'] | sort }}
{{ [none, 1] | max }}
{{ xs | map('nope') | list }}
{{ xs | select('nope') | list }}
{{ xs | map | list }}
{{ 'a' | abs }}
{{ 'abc'.index('z') }}
{{ xs.index(99) }}
{{ 'a'.split('') }}
{{ 'a'.join(5) }}
{{ 'a'.join([1]) }}
{{ 'a'.replace('x') }}
{{ 'a'.startswith(1) }}
{{ 'a'.center(5, 'xy') }}
{{ '%d' % 'x' }}
{{ '%s %s' % 'x' }}
{{ '%s' % ('a', 'b') }}
{{ '%q' % 1 }}
{{ '{} {}'.format(1) }}
{{ '{x}'.format(1) }}
{{ '{:d}'.format('x') }}
{{ '{' .format(1) }}
{{ xs.append(1) }}
{{ xs.sort() }}
{{ d.update({}) }}
{{ d.pop('b') }}
{{ d.clear() }}
{{ s.__class__.__mro__ }}
{{ xs.__init__() }}
{{ range(100001) }}
{{ range(1, 2, 0) }}
{{ range('x') }}
{{ range() }}
{{ raise_exception('told you') }}
{{ raise_exception('n is ' ~ n) }}
{{ namespace(1) }}
{{ dict(5) }}
{{ xs[::0] }}
{{ xs['a':] }}
{% set n.x = 1 %}
{% set nope.x = 1 %}
{% for a, b in [1] %}{% endfor %}
{% for a, b in [(1, 2, 3)] %}{% endfor %}
{% for a in 5 %}{% endfor %}
{% for a in none %}{% endfor %}
{% set a, b = 1 %}
{% set a, b = [1] %}
{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}
{% macro m(a) %}{% endmacro %}{{ m(b=1) }}
{% macro m(a) %}{{ a.b }}{% endmacro %}{{ m() }}
{% macro m() %}{% endmacro %}{% call m() %}{% endcall %}
{% macro m() %}{{ caller() }}{% endmacro %}{{ m() }}
{% for x in xs %}{{ loop(x) }}{% endfor %}
{% for x in xs %}{{ loop.nope.x }}{% endfor %}
{{ cycler() }}
{{ (1 if false).x }}
{{ 'a' | round }}
{{ 'x' | truncate(1) }}
{{ 5 | indent }}
{{ 3 is divisibleby 0 }}
{{ 'x' is odd }}
{{ xs | batch }}
{{ xs | nope_filter if true }}
{% if n is nope_test %}{% endif %}
{{ d | dictsort(by='x') }}
{{ xs | dictsort }}
{{ xs | first(1) }}
{{ s | replace('a') }}
{{ s.upper(1) }}
{{ strftime_now(5) }}
{{ [] | first + 1 }}
{{ xs | groupby }}
{{ 1 if nope.x else 2 }}
a
b {{ n }}
c {{ nope.q }}
""".strip("\n")

SYNTAX_ERRORS = r"""
{{ 1 +
{{ }}
{% if %}
{% if true %}
{% if true %}{% endfor %}
{% for x in xs %}
{% endfor %}
{% nope %}
{% for in xs %}{% endfor %}
{% for x xs %}{% endfor %}
{{ a b }}
{{ 'x }}
{{ "x }}
{{ (1 }}
{{ 1) }}
{{ [1 }}
{{ [1) }}
{{ {1: 2 }}
{{ {1} }}
{{ a. }}
{{ a.'x' }}
{{ x | }}
{{ x is }}
{{ x is string is defined }}
{{ f(a=1, 2) }}
{{ f(**a, b=1) }}
{{ 1 = 2 }}
{{ $ }}
{{ a ? b }}
{# never ends
{% raw %} never ends
{% macro m( %}{% endmacro %}
{% macro m(a=1, b) %}{% endmacro %}
{% macro 5() %}{% endmacro %}
{% set 5 = 1 %}
{% set true = 1 %}
{% set x.y.z = 1 %}
{% for loop in xs %}{% endfor %}
{% break %}
{% continue %}
{% call 5 %}{% endcall %}
{% block %}{% endblock %}
{{ xs | nope_filter }}
{{ xs is nope_test }}
{% for x in xs %}{{ x | nope_filter }}{% endfor %}
{% if true %}{% for x in xs %}{{ x | nope_filter }}{% endfor %}{% endif %}
{{ '\x4' }}
{% if true %}{% else %}{% else %}{% endif %}
{% else %}
{{ not }}
{{ 1 if }}
{% set %}
{% with a %}{% endwith %}
""".strip("\n")


class Generation(Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("_pass"), [], [], body).set_lineno(line)

    def _pass(self, caller):
        return caller()


class Raised(Exception):
    pass


def environment():
    env = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, "jinja2.ext.loopcontrols"]
    )

    def raise_exception(message):
        raise Raised(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = lambda f: datetime(2026, 1, 15, 9, 30).strftime(f)
    return env


def line_of(error):
    """The last template line in the traceback."""
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def kind_of(error):
    if isinstance(error, Raised):
        return "raised"
    if isinstance(error, (jinja2.TemplateSyntaxError, SyntaxError)):
        return "syntax"
    if isinstance(error, jinja2.UndefinedError):
        return "undefined"
    if isinstance(error, jinja2.sandbox.SecurityError):
        return "security"
    return "other"


def case(template):
    env = environment()
    try:
        return {"template": template, "expected": env.from_string(template).render(**VARIABLES)}
    except Exception as error:
        kind = kind_of(error)
        row = {"template": template, "error": kind}
        if kind in ("raised", "undefined", "security"):
            row["message"] = str(error)
        if isinstance(error, jinja2.TemplateSyntaxError):
            row["line"] = error.lineno
        elif kind != "syntax":
            row["line"] = line_of(error)
        return row


def split_errors(text):
    """One template a line; the lines after the last one-liner are one template."""
    lines = text.split("\n")
    start = lines.index("a")
    return lines[:start] + ["\n".join(lines[start:])]


def main():
    # A template that continues a string literal over two lines stays whole.
    templates = TEMPLATES.replace("\\\njoined", "\\\x00joined").replace("(2) %}x\ny", "(2) %}x\x00y")
    one_liners = [t.replace("\x00", "\n") for t in templates.split("\n")]
    rows = [case(t) for t in one_liners + LAYOUT + split_errors(ERRORS) + SYNTAX_ERRORS.split("\n")]
    for row in rows[: len(one_liners) + len(LAYOUT)]:
        if "expected" not in row:
            print("no text:", row)
    for row in rows[len(one_liners) + len(LAYOUT) :]:
        if "expected" in row:
            print("no error:", row)
    text = "\n".join(json.dumps(r, ensure_ascii=True) for r in rows)
    assert '"##' not in text
    target = pathlib.Path(__file__).parent.parent / "Tests/ChatTemplatesTests/ExpressionCases.swift"
    target.write_text(
        "// Generated by Tools/make_jinja_cases.py with jinja2 " + jinja2.__version__ + ". Do not edit.\n"
        "// swift-format-ignore-file\n\n"
        "enum ExpressionCases {\n"
        '    static let variables = ##"""\n' + json.dumps(VARIABLES, ensure_ascii=True) + '\n"""##\n\n'
        '    static let rows = ##"""\n' + text + '\n"""##\n}\n'
    )
    print(len(rows), "cases")


if __name__ == "__main__":
    main()
