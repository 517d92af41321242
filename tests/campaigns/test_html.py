"""Pasted HTML and blocks."""

import pytest
from django.core.exceptions import ValidationError

from apps.campaigns.content import blocks, html, liquid, mjml


def test_what_could_run_is_taken_out():
    source = (
        '<script>alert(1)</script><p onclick="x()">a</p><a href="javascript:alert(1)">b</a>'
        "<iframe src='https://x.example'></iframe><!-- note --><!-<!-- x -->- y -->"
    )
    done = html.prepare(source)
    assert not any(word in done for word in ("script", "onclick", "iframe", "note", "alert"))


def test_a_loop_in_a_table_stays_in_the_table():
    done = html.prepare("<table>{% for p in items %}<tr><td>{{ p }}</td></tr>{% endfor %}</table>")
    assert done.index("<table>") < done.index("{% for") < done.index("<td>") < done.index("{% endfor") < done.index("</table>")


def test_conditions_are_not_touched_by_the_html_parser():
    assert "{% if customer.a > 2 and b %}" in html.prepare("<p>{% if customer.a > 2 and b %}x{% endif %}</p>")


def test_styles_are_inlined():
    assert 'style="color: red' in html.prepare("<style>b{color:red}</style><b>x</b>")


def test_a_placeholder_written_by_hand_means_nothing():
    assert "secret" not in html.prepare("<!--qx7liq0--><p>qx7liq7qil7xq</p>")


def test_html_becomes_readable_text():
    text = html.to_text('<h1>Hei {{ customer.name }}</h1><p>Se <a href="https://a.no">her</a></p><ul><li>en<li>to</ul>')
    assert text == "Hei {{ customer.name }}\n\nSe her (https://a.no)\n\n- en\n- to"


def test_blocks_of_an_unknown_kind_are_refused_in_words():
    with pytest.raises(ValidationError, match="unknown kind"):
        blocks.cleaned([{"kind": "script"}])


@pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://x", "data:text/html,x", "nordlys.no"])
def test_an_address_that_is_none_is_refused_with_the_number_of_its_block(url):
    with pytest.raises(ValidationError, match="Block 2"):
        blocks.cleaned([{"kind": "divider"}, {"kind": "button", "label": "x", "url": url}])


def test_light_markup_escapes_all_but_liquid():
    done = blocks.text_html("**Hei** {{ customer.name }} <b>\n\n[her](https://a.no/?a=1&b={{ x }})")
    assert done == (
        "<p><strong>Hei</strong> {{ customer.name }} &lt;b&gt;</p>"
        '<p><a href="https://a.no/?a=1&amp;b={{ x }}">her</a></p>'
    )


@pytest.mark.parametrize("template", mjml.TEMPLATES)
def test_every_template_makes_html_with_all_blocks(template):
    made = [
        {"kind": "heading", "text": "Vinter & sånt", "level": 1}, {"kind": "text", "text": "Hei {{ customer.name }}"},
        {"kind": "button", "label": "Kjøp", "url": "https://a.example/?a=1&b=2"}, {"kind": "divider"},
        {"kind": "image", "url": "https://a.example/x.png", "alt": "Jakke", "link": ""}, {"kind": "product", "product": 7, "label": ""},
    ]
    done = mjml.to_html(
        template=template, blocks=blocks.cleaned(made), look=mjml.Look(), preheader="Nå", language="nb"
    )
    for wanted in ("Vinter &amp; sånt", "{{ customer.name }}", "https://a.example/?a=1&amp;b=2", "Jakke", 'products["7"].price'):
        assert wanted in done
    assert "fonts.googleapis" not in done
    liquid.parse(done, escape=True).render({})
