"""What a re-plan must leave: campaigns that their leads locked, and what its channel has no time left to prepare."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, ValidationError

from apps.accounts.models import AuditEvent
from apps.campaigns import locking, moving, planning
from apps.campaigns.conflicts import lead_times, resolve
from apps.campaigns.models import Campaign, LeadTime, Message, Scenario
from apps.campaigns.replan import job, problem
from apps.campaigns.replan.propose import propose
from apps.campaigns.scenarios import drafting
from apps.core import clock
from tests.campaigns.conflicts.conftest import scene  # noqa: F401
from tests.factories.accounts import DepartmentFactory, UserFactory
from tests.factories.campaigns import NOW, ProgrammeFactory

from .plans import at, campaign, grounds, message, plan, terms
from .test_propose import two_prices


@pytest.mark.parametrize("why", ["agreed", "printed", "booked"])
def test_a_locked_campaign_is_in_no_change_whatever_it_is_in(why):
    free = two_prices()
    locked = free.with_campaign(replace(free.campaigns[2], lock=why))
    assert [each.step.campaign_id for each in propose(free, grounds(), terms(move_days=10)).changes] == [2]
    proposal = propose(locked, grounds(), terms(move_days=10, fair_share=1.0, moves_agreed=False))
    assert not proposal.changes
    assert (proposal.staying[2], proposal.kept[2]) == (f"lock_{why}", f"lock_{why}")
    assert {each.rule for each in proposal.left} == {"offers", "overlap"}


@pytest.fixture
def now(monkeypatch):
    cache.clear()
    monkeypatch.setattr(clock, "now", lambda: NOW)


def lock(lead, row, why="printed", reason="Flyers are at the printer's"):
    return locking.lock(actor=lead, campaign=row, why=why, reason=reason, now=NOW)


@pytest.mark.django_db
def test_its_lead_locks_a_campaign_on_its_page_and_nobody_moves_it_until_it_is_unlocked(client, scene, now):  # noqa: F811
    client.force_login(scene.online_lead)
    address = f"/campaigns/{scene.online.pk}/"
    client.post(f"{address}lock/", {"why": "printed", "reason": "Flyers are at the printer's"})
    page = client.get(address).content.decode()
    assert "Flyers are at the printer" in page
    assert "Unlock" in page
    assert "is locked (printed: Flyers" in moving.problem(Campaign.objects.get(pk=scene.online.pk), 3, now=NOW)
    with pytest.raises(ValidationError, match="locked"):
        moving.move_as_agreed(actor=scene.online_lead, campaign=scene.online, days=9, now=NOW)
    what_if = drafting.create(actor=scene.retail_lead, name="Try", first=NOW.date(), last=NOW.date() + timedelta(days=30), now=NOW)
    with pytest.raises(ValidationError, match="locked"):
        drafting.put(actor=scene.retail_lead, scenario=what_if, kind="move", campaign=scene.online, parameters={"days": 9}, now=NOW)
    moves = [way.campaign_id for way in resolve.ways_out(scene.conflict, now=NOW) if way.action == "move"]
    assert scene.online.pk not in moves
    client.post(f"{address}lock/", {"why": ""})
    assert moving.problem(Campaign.objects.get(pk=scene.online.pk), 3, now=NOW) == ""
    assert [line.action for line in AuditEvent.objects.filter(action__contains="locked").order_by("pk")] == ["campaign.locked", "campaign.unlocked"]


@pytest.mark.django_db
def test_not_even_its_owner_changes_the_days_of_a_locked_campaign_but_everything_else(client, scene, now):  # noqa: F811
    lock(scene.online_lead, scene.online)
    row = Message.objects.get(campaign=scene.online)
    client.force_login(scene.online_lead)
    page = f"/campaigns/{scene.online.pk}/schedule/"
    opened = client.get(page).content.decode()
    assert "is locked (printed: Flyers" in opened and "until the lead of" in opened and f"m{row.pk}-day" not in opened
    day = (row.send_at + timedelta(days=1)).date()
    form = {"day": str(day), "clock": "10:00", "timing": "fixed", "repeats": "", "version": str(row.version)}
    answer = client.post(page, {"message": row.pk} | {f"m{row.pk}-{name}": value for name, value in form.items()})
    assert "is locked (printed: Flyers" in answer.content.decode()
    assert Message.objects.get(pk=row.pk).send_at == row.send_at
    changed = planning.change_message(
        actor=scene.online_lead, message=row, values={"name": "Other", "send_at": row.send_at}, expected_version=row.version, now=NOW
    )
    assert changed.name == "Other"


@pytest.mark.django_db
def test_a_locked_campaign_keeps_its_own_days_on_its_form_and_under_another_programme(scene, now):  # noqa: F811
    lock(scene.online_lead, scene.online)
    current = Campaign.objects.get(pk=scene.online.pk)
    later = current.ends_on + timedelta(days=1)
    umbrella = ProgrammeFactory(starts_on=current.starts_on, ends_on=later)
    for values in ({"ends_on": later}, {"programme": umbrella, "takes_dates": True}):
        with pytest.raises(ValidationError, match="until the lead of"):
            planning.change_campaign(actor=scene.online_lead, campaign=current, values=values, expected_version=current.version, now=NOW)
    kept = planning.change_campaign(
        actor=scene.online_lead, campaign=current, values={"programme": umbrella, "brief": "As printed"},
        expected_version=current.version, now=NOW,
    )
    assert (kept.brief, kept.ends_on) == ("As printed", current.ends_on)


@pytest.mark.django_db
def test_only_the_lead_of_its_department_locks_it(scene, now):  # noqa: F811
    for stranger in (scene.retail_lead, UserFactory(role="marketer", department=scene.online.department)):
        with pytest.raises(PermissionDenied):
            lock(stranger, scene.online)
    with pytest.raises(ValidationError):
        lock(scene.online_lead, scene.online, why="because")
    assert Campaign.objects.get(pk=scene.online.pk).lock == ""


@pytest.mark.django_db
def test_a_lock_voids_no_approval_and_the_re_plan_says_why_it_stays(scene, now):  # noqa: F811
    before = Campaign.objects.get(pk=scene.online.pk)
    lock(scene.online_lead, scene.online)
    after = Campaign.objects.get(pk=scene.online.pk)
    assert (after.status, after.version) == (before.status, before.version)
    asked = job.start(
        actor=scene.retail_lead, first=NOW.date(), last=NOW.date() + timedelta(days=30), locked=[], moves_agreed=True, fair_percent=25, now=NOW
    )
    assert job.run(scenario_id=asked.pk, now=NOW) == job.DONE
    measured = Scenario.objects.get(pk=asked.pk).measured
    assert measured["staying"][str(scene.online.pk)] == "lock_printed"
    assert not asked.changes.filter(campaign=scene.online, kind__in=["move", "leave_out", "retime", "cancel"]).exists()


@pytest.mark.django_db
def test_lead_times_are_the_departments_then_everybodys_then_as_shipped():
    retail, online = DepartmentFactory(), DepartmentFactory()
    assert [lead_times.in_force().of(channel, retail.pk) for channel in ("letter", "call", "email")] == [7, 2, 1]
    LeadTime.objects.create(channel="letter", days=12)
    LeadTime.objects.create(channel="letter", department=retail, days=4)
    LeadTime.objects.create(channel="", days=3)
    found = lead_times.in_force()
    assert [found.of("letter", retail.pk), found.of("letter", online.pk), found.of("email", online.pk), found.of("call", None)] == [4, 12, 3, 2]


@pytest.mark.django_db
def test_an_administrator_sets_a_lead_time_and_the_next_re_plan_keeps_it(client, now):
    client.force_login(UserFactory(role="administrator", is_staff=True, is_superuser=True))
    answer = client.post("/admin/campaigns/leadtime/add/", {"channel": "email", "department": "", "days": "20"})
    assert answer.status_code == 302, answer.context["errors"]
    asked = Scenario(starts_on=at(1).date(), ends_on=at(30).date(), settings={})
    found = plan(campaign(1, message(1, sent=at(24)), status="draft"), people={1: range(50)})
    assert problem.build(found, grounds(), job.terms_of(asked)).staying == {1: "lead"}
    LeadTime.objects.update(days=5)
    offsets = problem.offsets(found, found.campaigns[1], job.terms_of(asked))
    assert min(offsets) == -7, "five days after the eleventh at noon, the sixteenth at nine is too near"
