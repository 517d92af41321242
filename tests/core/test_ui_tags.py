from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django import forms
from django.core.paginator import Paginator
from django.template import Context, Template
from django.utils import timezone, translation

from apps.core import formats
from apps.core.vocabulary import CHANNELS, LEVELS, SEVERITIES

MORNING = datetime(2026, 11, 18, 8, 0, tzinfo=UTC)
SPACE = "\N{NO-BREAK SPACE}"


def shown(source, **context):
    return Template("{% load ui %}" + source).render(Context(context)).strip()


@pytest.mark.parametrize(
    ("language", "figure", "share", "amount"),
    [
        ("en", "240,150", "41 %", "1,284.50 EUR"),
        ("nb", "240 150", "41 %", "1 284,50 EUR"),
        ("pl", "240 150", "41 %", "1 284,50 EUR"),
    ],
)
def test_figures_follow_the_language(language, figure, share, amount):
    with translation.override(language):
        text = shown("{% number n %}|{% percent s %}|{% money a 'EUR' %}", n=240150, s=0.412, a=Decimal("1284.50"))
    assert text.replace(SPACE, " ").replace("\N{NARROW NO-BREAK SPACE}", " ").split("|") == [figure, share, amount]


def test_missing_figures_are_a_dash():
    assert shown("{% number n %}{% percent n %}{% money n 'EUR' %}{% when n %}", n=None) == "––––"


def test_a_moment_is_shown_in_the_viewers_zone_with_the_zone_named():
    with timezone.override(ZoneInfo("Europe/Warsaw")), translation.override("en"):
        text = shown("{% when m %}", m=MORNING)
        there = shown("{% when m zone='America/New_York' style='short' %}", m=MORNING)
    assert "18 Nov 2026, 09:00" in text
    assert "CET" in text
    assert "03:00" in there
    assert "EST" in there


def test_a_zone_without_a_name_is_told_by_its_offset():
    assert formats.zone_name(MORNING.astimezone(ZoneInfo("America/Sao_Paulo"))) == "UTC-03"


def test_a_span_writes_what_two_days_share_once():
    with translation.override("en"):
        assert formats.span(date(2026, 11, 18), date(2026, 11, 26)) == "18–26 Nov 2026"
        assert formats.span(date(2026, 11, 18), date(2026, 11, 18)) == "Wed, 18 Nov 2026"


@pytest.mark.parametrize("tag", ["badge x", "people 3 url=x", "chip x value=x url=x active=True", "severity 'high' label=x",
                                 "channel_mark 'email' label=x", "empty x x x x", "icon 'mail' label=x",
                                 "figure x x note=x url=x"])  # fmt: skip
def test_no_component_lets_markup_through(tag):
    assert "<script" not in shown("{% " + tag + " %}", x='"><script>alert(1)</script>')


def test_block_components_keep_their_content_and_escape_their_titles():
    html = shown("{% page x subtitle=x %}<b>do</b>{% endpage %}{% card title=x %}<b>in</b>{% endcard %}", x="<script>")
    assert "<script>" not in html
    assert "<b>do</b>" in html
    assert "<b>in</b>" in html


@pytest.mark.parametrize("level", [*SEVERITIES, *map(int, filter(str.isdigit, LEVELS))])
def test_a_severity_has_a_shape_and_a_word(level):
    html = shown("{% severity level %}", level=level)
    assert "<svg" in html
    assert html.split("</svg>")[1].removesuffix("</span>").strip()


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_channel_has_a_sign_that_can_be_drawn(channel):
    assert str(CHANNELS[channel][1]) in shown("{% channel_mark channel %}", channel=channel)


def test_places_are_classes_to_a_tenth_of_a_per_cent():
    assert shown("{% place 12.34 30 row=2 %}") == "at x12 xf3 wide w30 row2"
    assert shown("{% place 140 %}") == "at x100 row0"


class Small(forms.Form):
    name = forms.CharField(help_text="As on the door")
    agree = forms.BooleanField(required=False)
    kind = forms.ChoiceField(choices=[("a", "A"), ("b", "B")], widget=forms.RadioSelect)
    secret = forms.CharField(widget=forms.HiddenInput, required=False)


def test_a_field_ties_label_help_and_error_to_its_control():
    html = shown("{% form_fields form %}", form=Small({"name": ""}))
    assert 'for="id_name"' in html
    assert 'aria-describedby="id_name_helptext id_name_error"' in html
    assert 'id="id_name_error"' in html
    assert html.count("<fieldset") == html.count("<legend") == 1
    assert html.count('type="hidden"') == 1


def test_the_pager_keeps_the_other_filters(rf):
    page = Paginator(range(30), 10).get_page(2)
    html = shown("{% pager page %}", page=page, request=rf.get("/?q=coat&page=2"))
    assert 'href="?q=coat&amp;page=1"' in html
    assert 'href="?q=coat&amp;page=3"' in html
