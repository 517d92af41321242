"""The living style page `/style/`: every component in every state, on made-up figures, while developing or in the demo."""

from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from apps.accounts import access
from apps.accounts.models import Department
from apps.core import charts, clock
from apps.core.venn import Group, venn
from apps.core.vocabulary import CHANNELS, SEVERITIES


class SampleForm(forms.Form):
    """One field of each kind, with help and errors."""

    name = forms.CharField(label=_("Name"), help_text=_("As customers read it."))
    goal = forms.ChoiceField(label=_("Goal"), choices=[("orders", _("orders")), ("visits", _("visits"))])
    start = forms.DateTimeField(label=_("Starts"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))
    brief = forms.CharField(label=_("Brief"), widget=forms.Textarea, required=False)
    channels = forms.MultipleChoiceField(
        label=_("Channels"), choices=[("email", _("e-mail")), ("sms", "SMS")], widget=forms.CheckboxSelectMultiple
    )
    urgent = forms.BooleanField(label=_("Needs an answer this week"), required=False)
    file = forms.FileField(label=_("File"), required=False)


@access.public("made-up figures only, and only while developing or in the demo")
def style_page(request: HttpRequest) -> HttpResponse:
    """Every component in every state; 404 in production."""
    if not (settings.DEBUG or settings.DEMO):
        raise Http404
    return render(request, "style.html", _sample() | _charts())


def _sample() -> dict[str, Any]:
    now = clock.now()
    names = ["Retail", "Online", "Loyalty", "Service", "Outlet", "Press", "Stores", "Partners"]
    departments = [Department(name=name, colour=at) for at, name in enumerate(names, 1)]
    first = date(2026, 11, 2)
    return {
        "departments": departments,
        "now": now,
        "later": now + timedelta(days=3, hours=4),
        "statuses": ["draft", "in_review", "approved", "scheduled", "live", "paused", "done", "cancelled", "failed"],
        "levels": list(SEVERITIES),
        "channels": list(CHANNELS),
        "form": SampleForm(),
        "broken": SampleForm({"name": "", "goal": "orders", "start": "yesterday"}),
        "sheet": Paginator(range(30), 10).get_page(2),
        "tabs": [("brief", _("Brief"), "#", "done"), ("check", _("Check"), "#", "high"), ("live", _("Live"), "#")],
        "days": [_day(first + timedelta(days=at), at) for at in range(35)],
        "from_day": date(2026, 11, 18),
        "to_day": date(2026, 11, 26),
    }


def _day(day: date, at: int) -> dict[str, Any]:
    pressure = [1, 0, 3, 4, 2, 2, 4, 5, 6, 6][at % 10] if at < 20 else [8, 9, 9, 6, 5][at % 5]
    return {
        "day": day,
        "at": datetime(day.year, day.month, day.day, tzinfo=clock.company_zone()),
        "weekend": day.weekday() >= 5,
        "today": at == 9,
        "heat": pressure,
    }


def _charts() -> dict[str, Any]:
    week = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"]
    return {
        "venn": venn("Who is in both", Group("Retail", 212_900, 1, "#"), Group("Online", 240_150, 2, "#"), 98_204, "#"),
        "venn_inside": venn("Gold members are all in Retail’s audience", Group("Retail", 90_000, 1), Group("Gold", 4_000, 3), 4_000),
        "venn_apart": venn("Nobody is in both", Group("Retail", 20_000, 1), Group("Service", 9_000, 4), 0),
        "waterfall": charts.waterfall("Who will be contacted by at least one message", [
            charts.Step("Audience", 240_150, url="#"),
            charts.Step("Has an address", 231_870, 8_280, "no valid address", "#", "#"),
            charts.Step("Has consented", 188_412, 43_458, "no consent for offers", "#", "#"),
            charts.Step("Within contact limit", 166_930, 21_482, "already 3 in 7 days", "#", "#"),
            charts.Step("Outside control group", 148_329, 18_601, "control group of 10 %", "#", "#"),
            charts.Step("Will be contacted", 148_329, url="#"),
        ]),
        "bars": charts.bars("Retail reaches most people", [
            charts.Bar("Retail", 212_900, "#", "2 campaigns", 1), charts.Bar("Online", 164_200, "#", "2 campaigns", 2),
            charts.Bar("Loyalty", 58_000, "#", "", 3)]),
        "funnel": charts.funnel("One in four who opened clicked", [
            charts.Bar("Sent", 121_604), charts.Bar("Delivered", 119_870), charts.Bar("Opened", 44_100), charts.Bar("Clicked", 11_020)]),
        "columns": charts.columns("Contacts in any 7 days stay under the limit", [str(n) for n in range(1, 22)],
                                  [0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2, 2, 1, 1, 1, 0, 0, 0], 3, 13),
        "stacked": charts.stacked("Mail carries the week", week, [
            charts.Series("e-mail", [12, 14, 30, 22, 18, 4, 2]), charts.Series("SMS", [3, 3, 9, 4, 12, 0, 0]),
            charts.Series("letter", [1, 1, 2, 2, 1, 0, 0])]),
        "lines": charts.lines("Orders rise after the announcement", week, [
            charts.Series("web", [120, 132, 240, 310, 290, 260, 180]), charts.Series("store", [80, 82, 90, 140, 190, 260, 20])]),
        "spark": charts.spark([2, 3, 5, 3, 8, 6, 9], "sent per day, last week"),
    }  # fmt: skip
