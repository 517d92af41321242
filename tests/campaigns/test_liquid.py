"""The template language: what it allows, and that hostile templates end in words."""

import time

import pytest

from apps.campaigns.content import liquid

FACTS = {"customer": {"given_name": "<Ola>", "visits": 5}, "items": [1, 2, 3]}

GROW = "{% assign a = 'aaaaaaaa' %}" + "{% assign a = a | replace: 'a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' %}" * 6
HOSTILE = {
    "nested loops": "{% for i in (1..100000) %}{% for j in (1..100000) %}x{% endfor %}{% endfor %}",
    "a huge range": "{{ (1..1000000000) | join: 'x' }}",
    "doubling": "{% assign s = 'aaaaaaaaaaaaaaaa' %}{% for i in (1..40) %}{% assign s = s | append: s %}{% endfor %}",
    "nested conditions": "{% if true %}" * 2000,
    "a chain of filters": GROW,
    "a chain in one expression": "{{ 'aaaaaaaaaa'" + " | replace: 'a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'" * 6 + " }}",
    "ever larger numbers": "{{ 9" + " | times: 999999999" * 3000 + " }}",
    "a wide date": "{{ 'now' | date: '%999999999d' }}",
    "a file": "{% include 'settings' %}",
    "an unknown tag": "{% tablerow x in items %}{% endtablerow %}",
    "an unknown filter": "{{ customer.given_name | shell }}",
    "never closed": "{% if customer.visits",
    "too long": "x" * (liquid.TEMPLATE_LIMIT + 1),
    "a stray break": "{% break %}",
    "division by zero": "{{ 1 | divided_by: 0 }}",
}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_template_ends_in_words_after_little_work(source):
    began = time.process_time()
    with pytest.raises(liquid.TemplateProblem) as problem:
        liquid.parse(source).render(FACTS)
    assert len(str(problem.value)) > 15
    assert time.process_time() - began < 5


@pytest.mark.parametrize("path", ["customer.__class__", "customer.items", "customer.given_name.upper", "items.append"])
def test_nothing_of_python_can_be_reached(path):
    assert liquid.parse("[{{ " + path + " }}]").render(FACTS) == "[]"


def test_values_are_escaped_in_html_and_not_in_text():
    source = "Hei {{ customer.given_name }}"
    assert liquid.parse(source, escape=True).render(FACTS) == "Hei &lt;Ola&gt;"
    assert liquid.parse(source).render(FACTS) == "Hei <Ola>"


def test_dynamic_pieces_are_told_apart_and_see_what_was_assigned_before():
    template = liquid.parse("A{% assign n = customer.visits | plus: 1 %}B{{ n }}C")
    assert [dynamic for dynamic, _ in template.nodes] == [False, True, False, True, False]
    assert template.values(FACTS) == ["", "6"]


def test_used_fields_are_found_with_their_line_and_without_local_names():
    template = liquid.parse("Hei\n{{ customer.given_name }}{% for i in items %}{{ i }}{% endfor %}")
    assert template.fields == {"customer.given_name": 2, "items": 2}


def test_a_problem_names_the_line():
    with pytest.raises(liquid.TemplateProblem, match="Line 3"):
        liquid.parse("a\nb\n{{ x | shell }}").render({})


@pytest.mark.parametrize("escape", [True, False])
def test_plain_merge_fields_are_written_as_liquid_itself_writes_them(escape):
    facts = {
        "customer": {"given_name": "<Åse> & 'co'", "visits": 5, "vip": True, "nothing": None, "list": ["a", "b"], "part": {"x": "y"}},
        "offer": {},
    }
    for path in ("given_name", "visits", "vip", "nothing", "list", "unknown", "part.x", "part.y.z", "given_name.size"):
        source = "{{ customer." + path + " }}{{ offer.price }}"
        through_liquid = liquid.parse("{% if true %}" + source + "{% endif %}", escape=escape).render(facts)
        assert liquid.parse(source, escape=escape).render(facts) == through_liquid


def test_a_name_the_template_assigns_is_not_taken_for_a_merge_field():
    source = "{% assign customer = items %}{{ customer.first }}"
    assert liquid.parse(source).render(FACTS) == "1"
