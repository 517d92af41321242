"""The demo company's calendar, re-planned: nothing above "low" is left once the leads signed, and what one refused stays."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.accounts.models import Role, User
from apps.campaigns.conflicts import agree, loading, passes
from apps.campaigns.conflicts.registry import RULES
from apps.campaigns.models import Campaign, Conflict, PlanVersion, Resolution
from apps.campaigns.models.conflicts import ConflictState, Severity
from apps.campaigns.replan import job
from apps.campaigns.scenarios import applying
from apps.core import clock
from apps.reporting.demo.load import load

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
DECIDED = (ConflictState.ACCEPTED, ConflictState.RESOLVED)


def count(now):
    """Both passes over the whole plan as it stands."""
    passes.plan_changed(campaign_ids=Campaign.objects.planned().values_list("pk", flat=True), now=now)
    assert passes.count_people(number=PlanVersion.objects.get().number, now=now)


def left(now):
    """What is unresolved above low, counted independently of the rows' states: whatever the rules find in the plan as it stands
    and nobody decided on (a limit held to and an acceptance stand in the rows alone).
    """
    decided = set(Conflict.objects.filter(state__in=DECIDED).values_list("identity", flat=True))
    plan = loading.load(now=now)
    found = {each.identity for rule in RULES for each in rule.find(plan) if each.severity >= Severity.MEDIUM} - decided
    rows = set(Conflict.objects.filter(state__in=passes.UNDECIDED, severity__gte=Severity.MEDIUM).values_list("identity", flat=True))
    assert rows == found, "the calendar shows what the rules find"
    return found


def asked_of(lead, now):
    return [each for each in Resolution.objects.filter(state="proposed").order_by("pk") if agree.may_sign(lead, each, now=now)]


@pytest.mark.django_db(transaction=True)
def test_the_re_plan_brings_the_calendar_to_nothing_above_low_and_one_refusal_leaves_exactly_its_findings(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW)
    load(customers_wanted=300, seed=1, now=NOW, progress=lambda *_: None)
    before = left(NOW)
    assert len(before) >= 15
    actor = User.objects.get(email="retail.lead@fjellfjord.example")
    scenario = job.start(
        actor=actor, first=NOW.date(), last=NOW.date() + timedelta(days=42), locked=[], moves_agreed=True, fair_percent=25, now=NOW
    )
    scenario.refresh_from_db()
    assert scenario.settings["state"] == job.DONE
    now = NOW + timedelta(minutes=5)
    rows = applying.apply(actor=actor, scenario=scenario, change_ids=scenario.changes.values_list("pk", flat=True), now=now)
    assert {row.state for row in rows} <= {"applied", "proposed"}
    assert len(left(now)) > 5, "other departments' campaigns are where they were before their leads signed"

    leads = list(User.objects.filter(role=Role.LEAD))
    refused = next(each for each in asked_of(User.objects.get(email="loyalty.lead@fjellfjord.example"), now) if each.action == "move")
    for lead in leads:
        for each in asked_of(lead, now):
            if each.pk != refused.pk:
                assert agree.sign(actor=lead, resolution=each, agrees=True, now=now).state in ("proposed", "applied")
    agree.sign(actor=User.objects.get(email="loyalty.lead@fjellfjord.example"), resolution=refused, agrees=False, now=now)
    count(now)
    its_own = scenario.changes.get(resolution=refused)
    assert its_own.state == "declined"
    assert left(now) == {each["identity"] for each in its_own.why["settles"]}
    assert left(now), "the refusal leaves what it would have settled"

    again = now + timedelta(minutes=5)
    its_own.state, its_own.resolution = "tried", None
    its_own.save()
    applying.apply(actor=actor, scenario=scenario, change_ids=[its_own.pk], now=again)
    for lead in leads:
        for each in asked_of(lead, again):
            agree.sign(actor=lead, resolution=each, agrees=True, now=again)
    count(again)
    assert left(again) == set()
    assert not Conflict.objects.filter(state__in=passes.UNDECIDED, severity__gte=Severity.MEDIUM).exists()
