"""Small templates, hundreds of them, for test_jinja.py."""

VARIABLES = {
    "s": "Hello World", "u": "Grüße, 日本 e\u0301", "blank": "  \t x y \n", "empty": "", "quote": "it's \"q\" \\ \x07\u2028\u00a0",
    "multi": "one\n  two\r\n\nthree\n", "i": 7, "n": -3, "z": 0, "big": 9007199254740993, "f": 2.5, "g": -0.1, "h": 1e22, "tiny": 1e-7,
    "t": True, "no": False, "none": None, "list": [3, 1, 2], "words": ["b", "A", "c", "B"], "mixed": [1, "x", None, True, 1.5, [2], {"k": "v"}],
    "d": {"a": 1, "b": [1, 2], "items": "key", "get": 5, "c-d": {"e": "deep"}}, "nested": {"x": {"y": [{"z": "end"}]}},
    "people": [{"name": "Ann", "age": 31, "tags": ["x"]}, {"name": "bob", "age": 25}, {"name": "Cid", "age": 31, "tags": []}],
    "html": "<a href='x'>&</a>", "number": "42", "float": " 3.5 ", "word": "nope", "floats": [0.1, 0.2, 1e16, 123456789.125, 5e-324, 1.7976931348623157e308],
}

VALUES = ["s", "u", "empty", "i", "n", "z", "f", "g", "t", "no", "none", "list", "words", "mixed", "d", "missing", "(1, 2)", "()", "'7'", "people", "range(3)", "h"]

UNARY = """
{x} | {x}|string | -{x} | +{x} | not {x} | {x}|length | {x}|list | {x}|first | {x}|last | {x}|tojson | {x}|tojson(indent=2) | {x}|join(',') | {x}|sort | {x}|reverse|list | {x}|int | {x}|float
{x}|upper | {x}|lower | {x}|title | {x}|capitalize | {x}|trim | {x}|abs | {x}|round | {x}|default('D') | {x}|default('D', true) | {x}|sum | {x}|max | {x}|min | {x}|unique|list | {x}|wordcount
{x} is defined | {x} is none | {x} is string | {x} is number | {x} is integer | {x} is float | {x} is boolean | {x} is mapping | {x} is iterable | {x} is sequence | {x} is true | {x} is false
{x} is odd | {x} is even | {x} is lower | {x} is upper | {x} is undefined | {x} is callable | {x}[0] | {x}[-1] | {x}['a'] | {x}.a | {x}.a.b | {x}[1:] | {x}[:-1] | {x}[::-1] | {x}|dictsort | {x}|items|list
{x} ~ 'a' | '%s' % {x} | '%r' % ({x},) | {x} * 2 | 'yes' if {x} | 'yes' if {x} else 'no' | {x}|batch(2)|list | {x}|slice(2)|list | {x}|center(9) | {x}|indent | {x}|replace('l', 'L') | {x}|select|list
""".strip()

BINARY = "{x} + {y} | {x} - {y} | {x} * {y} | {x} / {y} | {x} // {y} | {x} % {y} | {x} == {y} | {x} != {y} | {x} < {y} | {x} >= {y} | {x} in {y} | {x} not in {y} | {x} and {y} | {x} or {y} | {x} ~ {y}"

EXPRESSIONS = r"""
1 + 2 * 3
2 ** 3 ** 2
-2 ** 2
2 ** -1
0.5 ** 2
7 // 2
-7 // 2
7 // -2
-7 % 3
7 % -3
-7.5 // 2
-7.5 % 2
7.5 % -2
1 / 3
10 / 5
1e3
1.5e-7
12_000
0.1 + 0.2
1e16
1e15
123456789012345678
100 * 1.1
1 < 2 < 3
1 < 3 < 2
1 == 1.0
True == 1
'a' < 'b'
[1, 2] < [1, 3]
(1, 2) == [1, 2]
{'a': 1} == {'a': 1.0}
'a' ~ 1 ~ none ~ true ~ 2.0
'a' 'b' "c"
'tab\tnew\nquote\'\x41\u00e9\q\101'
"it's"
["it's", 'say "hi"', 'both\'"', 'back\\slash', 'new\nline', '日本', '\x07', '\u200b']
[1, 2.0, none, true, 'x', [], {}, ()]
{'a': 1, 'b': [1, {'c': none}], 1: 2, true: false}
(1,)
1, 2
d.a
d['a']
d['items']
d.get('a')
d.get('q')
d.get('q', 7)
d['get']
d.missing
d['c-d'].e
d['c-d']['e']
nested.x.y[0].z
nested.x.y.0.z
missing
missing.x
missing['x']
d.missing.x
none.x
none.x.y
i.x
s.x
s[0]
s[-1]
s[50]
s[1:3]
s[-3:]
s[::2]
s[::-2]
s[5:1:-1]
u[2]
u[-2:]
u|length
list[0]
list[-1]
list[7]
list['x']
list[1:]
list[::-1]
list[:-1]
mixed[2:5]
range(5)|list
range(2, 5)|list
range(5, 0, -2)|list
range(0)|list
range(3)[1]
range(3)|length
range(100001)|list
range(1, 2, 0)
s.upper()
s.lower()
s.title()
"they're bill's".title()
"they're bill's"|title
"hello-world (foo) [bar]"|title
s.swapcase()
s.capitalize()
s.split()
s.split('o')
s.split('o', 1)
s.rsplit('o', 1)
' a  b c '.split()
' a  b c '.split(none, 1)
' a  b c '.rsplit(none, 1)
' a  b c '.rsplit()
'a,b,,c'.split(',')
''.split()
''.split(',')
'abc'.split('')
s.startswith('Hell')
s.startswith(('x', 'H'))
s.endswith('ld')
s.startswith('W', 6)
s.replace('l', 'LL')
s.replace('l', 'LL', 1)
'aaa'.replace('', '-')
s.find('o')
s.rfind('o')
s.find('zz')
s.index('W')
s.index('zz')
s.count('l')
s.count('')
u.find('日')
s.strip('Hd')
s.lstrip('He')
s.rstrip('dl')
blank.strip()
blank.lstrip()
blank.rstrip()
blank|trim
'xxaxx'|trim('x')
s.partition(' ')
s.rpartition('o')
s.partition('zz')
s.rpartition('zz')
s.removeprefix('Hello ')
s.removesuffix('World')
'-'.join(words)
'-'.join(['a', 1])
'-'.join('abc')
s.center(20, '*')
s.center(21)
'ab'.center(5)
'abc'.center(6)
s.ljust(13, '.')
s.rjust(13)
'42'.zfill(5)
'-42'.zfill(5)
'42'.isdigit()
'4x'.isdigit()
'ab'.isalpha()
'ab1'.isalnum()
'  '.isspace()
'AB'.isupper()
'ab'.islower()
''.isdigit()
'straße'.upper()
'ÀÉ'.lower()
multi.splitlines()
multi.splitlines(true)
'a{}b{}'.format(1, 'x')
'{0}{1}{0}'.format('a', 'b')
'{x}{{}}'.format(x=3)
'{}'.format()
'%s and %s' % ('a', 1)
'%d%%' % 50
'%5.2f|%-6s|%06d|%+d|%x|%X|%o|%c' % (3.14159, 'ab', 42, 7, 255, 255, 8, 'z')
'%e %g %g %g' % (12345.678, 0.00001, 1e20, 1.5)
'%.3s|%r|%5s' % ('abcdef', 'q', 'é')
'%(a)s-%(b)d' % {'a': 'x', 'b': 3}
'%s' % 'a' 'b'
'%s'|format('x')
'%(a)s'|format(a=5)
'%s %s' % 'a'
'%d' % 'x'
'%.2f' % 2.675
'%.2f' % 0.125
'%.0f' % 2.5
'%.1f' % 0.25
'%.3f' % 1e10
'%.2f' % -0.001
3.7|int
'3.7'|int
'12'|int
'x'|int
'x'|int(5)
'0x1f'|int
'1f'|int(0, 16)
' 42 '|int
number|int + 1
float|float
word|float
word|float(1.5)
'1e3'|float
'inf'|float
true|int
2.5|round
3.5|round
2.675|round(2)
1.115|round(2)
0.285|round(2)
7|round
7.0|round
-2.5|round
2.5|round(0, 'floor')
2.1|round(0, 'ceil')
2.345|round(1, 'ceil')
1234.5|round(-2)
-5|abs
-5.5|abs
floats
floats|tojson
floats|join(' ')
1.0
-0.0
1e100
123456789.0
0.0001
0.00001
3.0e-5
1.1
1e21
2.0 ** 70
100000000000000000000.0
list|sort
list|sort(reverse=true)
words|sort
words|sort(case_sensitive=true)
words|unique|list
words|unique(case_sensitive=true)|list
people|sort(attribute='age')|map(attribute='name')|list
people|sort(attribute='age,name', reverse=true)|map(attribute='name')|list
people|map(attribute='name')|join(', ')
people|map(attribute='name')|map('upper')|list
people|map(attribute='tags', default='none')|list
people|map(attribute='tags.0')|list
people|selectattr('tags')|map(attribute='name')|list
people|selectattr('tags', 'defined')|list|length
people|selectattr('age', 'equalto', 31)|list
people|selectattr('age', 'gt', 30)|list|length
people|rejectattr('age', 'lt', 30)|map(attribute='name')|list
people|selectattr('name', 'in', ['Ann'])|list
people|groupby('age')|list
people|groupby('age')|map('last')|list
people|sum(attribute='age')
people|max(attribute='age')
people|min(attribute='name')
people|join(', ', attribute='name')
list|select('odd')|list
list|reject('odd')|list
list|select('gt', 1)|list
list|map('string')|list
list|sum
list|sum(start=10)
[]|sum
[]|max
[]|first
[]|last
[]|join
list|max
list|min
words|max
mixed|select|list
mixed|tojson
mixed|string
d|tojson
d|tojson(indent=2)
d|tojson(indent=0)
d|tojson(indent='--')
d|tojson(separators=(',', ':'))
d|tojson(sort_keys=true)
u|tojson
u|tojson(ensure_ascii=true)
'😀\x7f'|tojson(ensure_ascii=true)
quote|tojson
html|tojson
quote
[quote]
html|e
html|escape
html|safe
html|e + '<'
'<' + html|safe
'<' ~ html|safe
{}|tojson(indent=2)
[]|tojson(indent=2)
[[], {}]|tojson(indent=2)
{1: 2, true: 3, none: 4, 1.5: 5}|tojson
missing|tojson
d|items|list
d.items()|list
d['c-d'].items()
d['c-d'].keys()
d['c-d'].values()
d|dictsort
{'b': 1, 'A': 2}|dictsort
{'b': 1, 'A': 2}|dictsort(true)
{'b': 1, 'A': 2}|dictsort(by='value')
{'b': 1, 'A': 2}|dictsort(reverse=true)
d|length
d|list
d|first
'a' in d
'q' in d
'ell' in s
'' in s
1 in list
1 in 5
5 in missing
missing in list
missing == missing2
missing == none
missing + 'x'
missing ~ 'x'
missing|length
missing|default
missing|d('x')
none|default('x')
none|default('x', true)
''|default('x', true)
missing|default(d.a)
missing is defined
d.a is defined
d.q is defined
d.q is not defined
i is divisibleby 7
i is divisibleby(2)
i is eq 7
i is ne 7
i is lt 8
i is ge 8
i is in [1, 7]
i is sameas 7
none is sameas none
i is not none and t
not i is none
s is string and s is sequence
list is sequence
range(3) is iterable
list|map('upper') is iterable
list|map('upper') is sequence
i is mapping
i is nothing
i|nothing
nothing()
i()
s.nothing()
list.append(1)
d.update({})
d.pop('a')
d.copy()
list.index(1)
list.index(9)
list.count(1)
(1, 2).count(1)
'x' if t
'x' if no
'x' if no else 'y'
'a' if no else 'b' if no else 'c'
('x' if no) ~ 'y'
s|indent(2)
multi|indent(2)
multi|indent(2, true)
multi|indent(2, blank=true)
multi|indent('> ', true, true)
multi|wordcount
u|wordcount
s|truncate(5)
s|truncate(8, true)
s|truncate(5, true, '')
s|truncate(9, leeway=0)
'foo bar baz qux'|truncate(11, leeway=0)
'foo bar baz qux'|truncate(11, true, leeway=0)
s|reverse
list|reverse|list
list|batch(2)|list
list|batch(2, 'x')|list
range(7)|slice(3)|list
range(7)|slice(3, 'x')|list
s|list
s|first
s|last
s|join('-')
'a b&c/d?é'|urlencode
dict(a=1, b=2)
dict({'a': 1}, b=2)
dict([('a', 1)])
namespace(a=1)
namespace({'a': 1}).a
namespace(a=1).b
d|attr('a')
d|attr('items') is defined
s|string|length
1|string + '2'
'2' * 3
3 * '2'
[1] * 2
2 * (1,)
'a' * -1
[1] + [2]
(1,) + (2,)
[1] + (2,)
'a' + 1
1 + 'a'
none + 1
1 / 0
1 // 0
1 % 0
1.0 / 0
t + t
-t
+t
9223372036854775807
9223372036854775807 - 1
1 if 1 else 1 / 0
t or 1 / 0
no and 1 / 0
[i, n]|map('abs')|list
list|map('default', 'x')|list
'abc'|map('upper')|join
(people|first).name
people[0].name|upper
people[-1]['name']
people|last|attr('name')
people|tojson|length
d.b[1]
d.b[-1:]
d['b'] + [3]
strftime_now('%d %b %Y')
strftime_now('%Y-%m-%d %H:%M:%S %j %a %A %B %p %I %y %% %-d %-m %F %T %u %w %e')
strftime_now('%Y')|int > 2000
raise_exception('no')
loop
"""

STATEMENTS = [
    "{% for x in list %}{{ loop.index }}/{{ loop.length }}:{{ x }}{{ ',' if not loop.last }}{% endfor %}",
    "{% for x in list %}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.previtem }}{{ loop.nextitem }}{{ loop.depth }}{% endfor %}",
    "{% for x in list %}{{ loop.previtem is defined }}{{ loop.nextitem is defined }}{{ loop.cycle('a', 'b') }}{{ loop.changed(x > 1) }}{% endfor %}",
    "{% for x in [] %}a{% else %}none{% endfor %}", "{% for x in missing %}a{% else %}none{% endfor %}", "{% for x in none %}a{% endfor %}", "{% for x in 5 %}a{% endfor %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}", "{% for k in d %}{{ k }}{% endfor %}", "{% for k, v in d|dictsort %}{{ k }}{% endfor %}", "{% for a, b in [(1, 2, 3)] %}{% endfor %}",
    "{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}", "{% for c in u %}[{{ c }}]{% endfor %}", "{% for x in list if x > 1 %}{{ loop.index }}{{ x }}{{ loop.length }}{% else %}no{% endfor %}",
    "{% for x in list if x > 9 %}{{ x }}{% else %}no{% endfor %}", "{% for x in range(5) %}{% if x == 1 %}{% continue %}{% endif %}{% if x == 3 %}{% break %}{% endif %}{{ x }}{% endfor %}",
    "{% for x in [1, 2] %}{% for y in [3, 4] %}{{ loop.index }}{{ x }}{{ y }}{% endfor %}{{ loop.index }}{% endfor %}", "{% for x in 1, 2, 3 %}{{ x }}{% endfor %}",
    "{% for x in [[1, [2, 3]], [4]] recursive %}{{ loop.depth }}{% if x is iterable %}({{ loop(x) }}){% else %}{{ x }}{% endif %}{% endfor %}", "{% for x in [1] %}{{ loop([2]) }}{% endfor %}",
    "{% set x = 1 %}{% for y in [1, 2] %}{% set x = x + y %}{{ x }}{% endfor %}{{ x }}", "{% set ns = namespace(x=0) %}{% for y in list %}{% set ns.x = ns.x + y %}{% endfor %}{{ ns.x }}{{ ns }}",
    "{% set ns.x = 1 %}", "{% set q = {} %}{% set q.x = 1 %}", "{% set ns = namespace() %}{% set ns._x = 1 %}", "{% set a, b = 1, 2 %}{{ a }}{{ b }}", "{% set a, b = [1] %}", "{% set x = 1, 2 %}{{ x }}",
    "{% set x %}a{{ i }}b{% endset %}{{ x }}{{ x|length }}", "{% set x | upper %}abc{% endset %}{{ x }}", "{% set x | replace('a', 'b') | upper %}abc{% endset %}{{ x }}", "{% set ns = namespace() %}{% set ns.b %}q{% endset %}{{ ns.b }}",
    "{% if i == 7 %}a{% elif i == 8 %}b{% else %}c{% endif %}", "{% if no %}a{% elif t %}b{% else %}c{% endif %}", "{% if no %}a{% elif no %}b{% else %}c{% endif %}", "{% if missing %}a{% endif %}b", "{% if t %}{% set k = 1 %}{% endif %}{{ k }}",
    "{% if no %}{% set i = 1 %}{% endif %}{{ i }}", "{% for x in [1] %}{% if no %}{% set i = 1 %}{% endif %}{{ i }}{% endfor %}",
    "{% macro m(a, b=2, c=a) %}[{{ a }}{{ b }}{{ c }}]{% endmacro %}{{ m(1) }}{{ m(1, c=3) }}{{ m(b=5, a=4) }}{{ m() }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(b=2) }}",
    "{% macro m(a) %}{{ a }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, 3, x=4) }}", "{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}body{{ i }}{% endcall %}",
    "{% macro m() %}{{ caller(1, 2) }}{% endmacro %}{% call(a, b) m() %}{{ a }}-{{ b }}{% endcall %}", "{% macro m() %}{{ caller() }}{% endmacro %}{{ m() }}", "{% macro m() %}x{% endmacro %}{% call m() %}y{% endcall %}",
    "{% macro m() %}{{ caller is defined }}{% endmacro %}{{ m() }}{% call m() %}y{% endcall %}", "{% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(5) }}", "{% macro f(n) %}{{ f(n) }}{% endmacro %}{{ f(1) }}",
    "{% set x = 1 %}{% macro m() %}{{ x }}{% endmacro %}{% set x = 2 %}{{ m() }}", "{% macro m() %}{% set x = 5 %}{{ x }}{% endmacro %}{% set x = 1 %}{{ m() }}{{ x }}", "{% for x in [1, 2] %}{% macro m() %}{{ x }}{% endmacro %}{{ m() }}{% endfor %}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(*[1]) }}{{ m(**{'a': 2}) }}{{ m(m('x')) }}{{ m|string|length > 0 }}", "{% macro outer() %}{% macro inner() %}i{% endmacro %}{{ inner() }}{% endmacro %}{{ outer() }}{{ inner is defined }}",
    "{% filter upper %}abc{{ s }}{% endfilter %}", "{% filter replace('a', 'b') | upper %}abc{% endfilter %}", "{% with a=1, b=2 %}{{ a }}{{ b }}{% endwith %}{{ a is defined }}", "{% with %}{% set q = 1 %}{{ q }}{% endwith %}{{ q is defined }}", "{% with a = 1 %}{% with a = 2, b = a %}{{ a }}{{ b }}{% endwith %}{% endwith %}",
    "{% generation %}a{{ i }}{% endgeneration %}b", "{% generation %}{% set q = 1 %}{% endgeneration %}{{ q is defined }}", "{% raw %}{{ x }}{% y %}{% endraw %}", "{%- raw -%} {{ x }} {%- endraw -%} z", "{# comment #}a{#- b -#} c", "a {#- x #} b", "a\n  {# x #}\nb", "a\n  {#+ x #}\nb",
    "a\n  {% if t %}\nb\n  {% endif %}\nc", "a\n  {%+ if t %}\nb\n  {%- endif +%}\nc", "a {%- if t -%} b {%- endif -%} c", "  {{ i }}  \n", "a\n  {{- i -}}\n b", "{{ i }}\n", "{{ i }}\n\n", "\n{{ i }}", "x  {% if t %}  y{% endif %}", "  {% if t %}  y{% endif %}  \n z", "{% if t %}\n\n a{% endif %}",
    "a\r\nb\rc{{ i }}\r\n", "{{ '}}' }}", "{{ {'a': {'b': 1}} }}", "{{ '{%' }}{{ \"#}\" }}", "{% if t %}a", "{% endif %}", "{{ i", "{{ }}", "{% %}", "{% unknown %}", "{{ 1 + }}", "{{ (1 }}", "{{ a b }}", "{# open", "{% for %}{% endfor %}", "{% set %}", "{{ 'open }}", "{% break %}", "{{ i|}}", "{{ i is }}", "{{ [1, 2 }}",
    "{% include 'x' %}", "{% raw %}x", "{{ 1 if }}", "{% macro m(a=1, b) %}{% endmacro %}", "{{ 1 is none is none }}", "{% set 1 = 2 %}", "}} %} #}", "{ {x} }", "{{-i-}}", "{{+i}}", "{%-if t-%}a{%-endif-%}", "{% if t %}{{ 'a' }}\n{% endif %}\n{% if t %}b{% endif %}",
    "{{ 'a\nb' }}", "{{ i }}{% if t %}\n{{ i }}\n{% endif %}\n{{ i }}", "{% for m in people %}\n{{ m.name }}\n{% endfor %}\n", "  {%- for m in people %}\n  {{- m.name }}\n  {%- endfor %}", "{% set ns = namespace(a=[]) %}{% set ns.a = ns.a + [1] %}{{ ns.a }}",
    "{{ (people|selectattr('age', 'equalto', 31)) is iterable }}{{ 'x' if people|selectattr('age', 'equalto', 99) else 'y' }}", "{% set q = people|map(attribute='age') %}{{ q|list }}{{ q|list }}", "{{ people|map(attribute='age')|length }}",
    "{% set loop_messages = people[1:] %}{% for m in loop_messages %}{% if (m.age == 25) != (loop.index0 % 2 == 0) %}{{ raise_exception('x') }}{% endif %}{{ m.name }}{% endfor %}",
]


def templates():
    for line in UNARY.splitlines():
        for expression in line.split(" | "):
            for value in VALUES:
                if (value, expression) == ("h", "{x}|int") or (value == "none" and ":" in expression):
                    continue  # beyond 64 bits; slices of a literal None are folded by jinja2
                yield "{{ " + expression.replace("{x}", value) + " }}"
    for expression in BINARY.split(" | "):
        for x in VALUES:
            for y in VALUES:
                yield "{{ " + expression.replace("{x}", x).replace("{y}", y) + " }}"
    for line in EXPRESSIONS.strip().splitlines():
        yield "{{ " + line + " }}"
    yield from STATEMENTS
