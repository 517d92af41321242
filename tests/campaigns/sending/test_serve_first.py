"""At the claim nobody with something open is advertised to, unless that was accepted; service and safety pass."""

from datetime import timedelta

import pytest
from pyroaring import BitMap

from apps.campaigns import check
from apps.campaigns.conflicts import agree, passes
from apps.campaigns.models import Conflict, Delivery, PlanVersion, Run
from apps.campaigns.sending import attempt, proof
from apps.consent.models import Purpose
from apps.customers import merging
from apps.customers.models import CareFlag
from tests.factories.campaigns import lead
from tests.factories.sending import NOW, make_message, make_people, send_all

pytestmark = pytest.mark.django_db(transaction=True)


def open_for(people, reason="complaint", **values):
    CareFlag.objects.bulk_create(CareFlag(customer_id=pk, reason=reason, since=NOW - timedelta(days=1), **values) for pk in people)


def told(message):
    book = proof.run_proof(Run.objects.get(message=message))
    return book["sent"], book["refused"]


def test_promotion_is_refused_to_whom_something_is_open_with_its_reason(provider):
    people = make_people(6)
    open_for(list(people)[:2])
    open_for(list(people)[2:3], closed_at=NOW)
    open_for(list(people)[3:4], until=NOW - timedelta(hours=1))
    message = make_message(people)
    send_all()
    assert told(message) == (4, {"serve_first": 2})
    assert {row.rule for row in Delivery.objects.filter(reason="serve_first")} == {"service_first"}


@pytest.mark.parametrize("kind", ["service", "safety"])
def test_service_and_safety_pass(provider, kind):
    purpose = Purpose.objects.create(code=f"own-{kind}", name=kind, purpose_class=kind, needs_consent=False)
    people = make_people(3)
    open_for(people)
    message = make_message(people, purpose=purpose)
    send_all()
    assert told(message) == (3, {})


def test_a_flag_on_a_merged_id_holds_the_person_back(provider):
    people = make_people(3)
    survivor, absorbed, _other = people
    merging.merge(survivor=survivor, absorbed=absorbed, rule="by hand", actor=None, now=NOW)
    open_for([absorbed])
    message = make_message(BitMap([survivor, _other]))
    send_all()
    assert told(message) == (1, {"serve_first": 1})


def test_the_check_counts_it_as_a_step_of_its_own():
    people = make_people(5)
    open_for(list(people)[:2])
    message = make_message(people)
    message.audience_rule = {"is": "everyone"}
    message.save()
    steps = {step.code: step for step in check.waterfall(message, now=NOW)}
    assert {reason: len(lost) for reason, lost in steps["service"].lost.items()} == {"serve_first": 2}
    CareFlag.objects.update(closed_at=NOW)
    assert "service" not in {step.code for step in check.waterfall(message, now=NOW)}


def accept(message, *, until):
    """The lead accepts the finding for this campaign."""
    PlanVersion.objects.get_or_create(pk=1, defaults={"number": 1, "changed_at": NOW})
    assert passes.count_people(number=PlanVersion.objects.get().number, now=NOW - timedelta(hours=1))
    conflict = Conflict.objects.get(rule="service_first")
    assert (conflict.people_count, conflict.severity) == (2, 1)
    agree.propose(
        actor=lead(message.campaign.department), conflict=conflict, way="accept", reason="It is an apology",
        expires_on=until, now=NOW - timedelta(hours=1),
    )
    conflict.refresh_from_db()
    assert conflict.state == "accepted"


def test_accepted_for_the_campaign_it_reaches_them_and_other_campaigns_still_do_not(provider):
    people = make_people(4)
    open_for(list(people)[:2])
    message = make_message(people)
    accept(message, until=NOW.date())
    other = make_message(people, send_at=NOW + timedelta(minutes=5))
    send_all()
    send_all(NOW + timedelta(minutes=5))
    assert told(message) == (4, {})
    assert told(other) == (2, {"serve_first": 2})


def test_what_was_accepted_until_yesterday_holds_no_more(provider):
    people = make_people(4)
    open_for(list(people)[:2])
    message = make_message(people, send_at=NOW + timedelta(days=1))
    accept(message, until=NOW.date())
    send_all(NOW + timedelta(days=1))
    assert told(message) == (2, {"serve_first": 2})


def test_a_complaint_between_claim_and_hand_over_still_counts(provider, monkeypatch):
    people = make_people(2)
    message = make_message(people)
    real = attempt.gate_again

    def complained(*args, **kwargs):
        if not CareFlag.objects.exists():
            open_for(list(people)[:1])
        return real(*args, **kwargs)

    monkeypatch.setattr(attempt, "gate_again", complained)
    send_all()
    assert told(message) == (1, {"serve_first": 1})
