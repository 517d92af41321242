"""Nobody answers: deputies and administrators hear of it once; and what deputies and administrators may sign then."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied

from apps.accounts import deputies
from apps.accounts.models import AuditEvent, Notification
from apps.campaigns.conflicts import agree, escalation
from apps.campaigns.models import Conflict, Message, RuleParameter
from tests.factories.accounts import UserFactory
from tests.factories.campaigns import NOW

from .conftest import count

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def late(scene):
    """Everything is to be decided in thirty hours; Retail's lead is away and has a deputy."""
    Conflict.objects.update(decide_by=NOW + 30 * HOUR)
    scene.deputy = UserFactory(department=scene.retail.department)
    day = NOW.date()
    deputies.name_deputy(actor=scene.retail_lead, deputy=scene.deputy, starts_on=day, ends_on=day + timedelta(days=5), now=NOW)
    scene.boss = UserFactory(role="administrator")
    return scene


def told():
    return set(Notification.objects.filter(code="conflict.escalated").values_list("user", flat=True))


def test_it_is_told_at_the_set_time_once_and_marked(late):
    assert escalation.escalate(now=NOW + 5 * HOUR) == 0
    assert escalation.escalate(now=NOW + 6 * HOUR) == 1
    assert escalation.escalate(now=NOW + 7 * HOUR) == 0
    assert told() == {late.deputy.pk, late.boss.pk, late.retail_lead.pk, late.online_lead.pk}
    assert not Conflict.objects.filter(second_campaign__isnull=False, escalated_at=None).exists()
    assert AuditEvent.objects.filter(action="conflict.escalated").count() == 1


def test_the_set_time_is_the_administrators(late):
    RuleParameter.objects.create(code="escalate_hours", value=2)
    assert escalation.escalate(now=NOW + 27 * HOUR) == 0
    assert escalation.escalate(now=NOW + 28 * HOUR) == 1


def test_only_the_side_that_has_not_answered_is_reminded(late):
    agree.propose(actor=late.online_lead, conflict=late.conflict, way=f"leave_out:{late.online.pk}", now=NOW)
    escalation.escalate(now=NOW + 10 * HOUR)
    assert told() == {late.deputy.pk, late.boss.pk, late.retail_lead.pk}


def test_a_decided_conflict_is_not_escalated(late):
    proposal = agree.propose(actor=late.online_lead, conflict=late.conflict, way=f"leave_out:{late.online.pk}", now=NOW)
    agree.sign(actor=late.deputy, resolution=proposal, agrees=True, now=NOW)
    assert escalation.escalate(now=NOW + 10 * HOUR) == 0


def test_a_deputy_signs_on_the_record_and_the_day_after_no_more(late):
    proposal = agree.propose(actor=late.online_lead, conflict=late.conflict, way=f"leave_out:{late.online.pk}", now=NOW)
    with pytest.raises(PermissionDenied):
        agree.sign(actor=late.deputy, resolution=proposal, agrees=True, now=NOW + timedelta(days=6))
    signed = agree.sign(actor=late.deputy, resolution=proposal, agrees=True, now=NOW)
    assert signed.state == "applied"
    line = AuditEvent.objects.filter(action="resolution.signed", actor=late.deputy).get()
    assert (line.after["for"], line.department) == (late.retail_lead.pk, late.retail.department)


def test_a_deputy_never_signs_an_own_proposal_nor_for_both_sides(late):
    own = agree.propose(actor=late.deputy, conflict=late.conflict, way=f"leave_out:{late.retail.pk}", now=NOW)
    assert own.signatures.count() == 0
    with pytest.raises(PermissionDenied):
        agree.sign(actor=late.deputy, resolution=own, agrees=True, now=NOW)
    day = NOW.date()
    deputies.name_deputy(actor=late.retail_lead, deputy=late.online_lead, starts_on=day, ends_on=day, now=NOW)
    agree.sign(actor=late.online_lead, resolution=own, agrees=True, now=NOW)
    assert agree.signing_for(late.online_lead, own, now=NOW) is None
    own.refresh_from_db()
    assert own.state == "proposed"


def test_an_administrator_signs_for_who_is_missing_only_after_the_escalation(late):
    proposal = agree.propose(actor=late.online_lead, conflict=late.conflict, way=f"leave_out:{late.online.pk}", now=NOW)
    with pytest.raises(PermissionDenied):
        agree.sign(actor=late.boss, resolution=proposal, agrees=True, now=NOW)
    escalation.escalate(now=NOW + 10 * HOUR)
    proposal.refresh_from_db()
    assert agree.sign(actor=late.boss, resolution=proposal, agrees=True, now=NOW + 11 * HOUR).state == "applied"


def test_what_is_open_again_is_escalated_anew(late):
    until = (NOW + timedelta(days=1)).date()
    accepted = agree.propose(
        actor=late.online_lead, conflict=late.conflict, way="accept", reason="both knew", expires_on=until, now=NOW
    )
    escalation.escalate(now=NOW + 10 * HOUR)
    accepted.refresh_from_db()
    agree.sign(actor=late.retail_lead, resolution=accepted, agrees=True, now=NOW + 10 * HOUR)
    Message.objects.update(plan_computed_at=NOW + timedelta(days=3))
    count(NOW + 40 * HOUR)
    row = late.conflict
    assert (row.state, row.escalated_at) == ("open", None)
