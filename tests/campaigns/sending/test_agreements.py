"""What two leads agreed is kept at send time, also for people who join late."""

from datetime import timedelta

import pytest
from pyroaring import BitMap

from apps.campaigns.models import Agreement, Blackout, Conflict, Delivery, Message, Resolution, Run
from apps.campaigns.sending import proof
from apps.consent.models import Purpose
from tests.factories.sending import NOW, agree, make_message, make_people, send_all

pytestmark = pytest.mark.django_db(transaction=True)


def agreement(yielding: Message, keeping: Message, **fields) -> Agreement:
    """Both leads agreed that the first leaves the overlap to the second."""
    conflict = Conflict.objects.create(
        rule="overlap", identity=f"overlap {yielding.pk} {keeping.pk}", first_campaign=yielding.campaign,
        second_campaign=keeping.campaign, severity=3, digest="x", state="resolved", found_at=NOW, updated_at=NOW,
    )  # fmt: skip
    resolution = Resolution.objects.create(
        conflict=conflict, action="leave_out", state="applied", proposed_by=yielding.campaign.owner, proposed_at=NOW, **fields
    )
    return Agreement.objects.create(
        resolution=resolution, yielding_campaign=yielding.campaign, keeping_campaign=keeping.campaign, since=NOW
    )


def refused(message: Message) -> dict[str, int]:
    return proof.run_proof(Run.objects.filter(message=message).latest("pk"))["refused"]


def test_the_yielding_side_gives_way_while_the_other_is_still_to_come(provider):
    people = make_people(6)
    shared = BitMap(list(people)[:2])
    keeping = make_message(shared, send_at=NOW + timedelta(days=2))
    yielding = make_message(people)
    made = agreement(yielding, keeping)
    send_all()
    assert refused(yielding) == {"agreed_elsewhere": 2}
    assert {row.rule for row in Delivery.objects.filter(reason="agreed_elsewhere")} == {f"agreement.{made.pk}"}
    send_all(NOW + timedelta(days=2))
    assert proof.run_proof(Run.objects.get(message=keeping))["sent"] == 2


def test_the_yielding_side_keeps_people_whom_the_other_cannot_contact(provider):
    people = make_people(4)
    events = Purpose.objects.create(code="events", name="Events", purpose_class="promotion")
    agree(BitMap([people.min()]), purpose=events)
    keeping = make_message(people, send_at=NOW + timedelta(days=2), purpose=events)
    yielding = make_message(people)
    agreement(yielding, keeping)
    send_all()
    assert refused(yielding) == {"agreed_elsewhere": 1}


def test_the_later_side_gives_way_to_whoever_joined_late(provider):
    people = make_people(4)
    keeping = make_message(BitMap(list(people)[:1]), send_at=NOW + timedelta(days=2))
    yielding = make_message(people)
    agreement(yielding, keeping)
    send_all()
    assert proof.run_proof(Run.objects.get(message=yielding))["sent"] == 3
    Message.objects.filter(pk=keeping.pk).update(plan_audience=people)
    send_all(NOW + timedelta(days=2))
    assert (refused(keeping), proof.run_proof(Run.objects.get(message=keeping))["sent"]) == ({"agreed_elsewhere": 3}, 1)
    reached = [int(reference.split(".")[1]) for reference in provider.posted]
    assert len(reached) == len(set(reached)) == 4


def test_an_agreement_that_ended_or_expired_binds_nobody(provider):
    people = make_people(2)
    keeping = make_message(people, send_at=NOW + timedelta(days=2))
    yielding = make_message(people)
    made = agreement(yielding, keeping, expires_on=(NOW - timedelta(days=1)).date())
    send_all()
    assert refused(yielding) == {}
    assert made.ended_at is None


def test_a_cancelled_keeping_side_sets_its_people_free(provider):
    people = make_people(2)
    keeping = make_message(people, send_at=NOW + timedelta(days=2), status="cancelled")
    yielding = make_message(people)
    agreement(yielding, keeping)
    send_all()
    assert refused(yielding) == {}


def test_a_blackout_counts_by_the_recipients_date(provider):
    """13:00 UTC on Wednesday is already Thursday in Auckland."""
    home, away = make_people(2), make_people(2, country="NZ", time_zone="Pacific/Auckland")
    thursday = (NOW + timedelta(days=1)).date()
    blackout = Blackout.objects.create(name="Silence", starts_on=thursday, ends_on=thursday)
    message = make_message(home | away)
    send_all()
    shown = proof.run_proof(Run.objects.get(message=message))
    assert (shown["sent"], shown["waiting"], shown["refused"]) == (2, 2, {}), "they wait until their Thursday is over"
    later = make_message(home | away, send_until=NOW + timedelta(hours=1))
    send_all()
    assert refused(later) == {"blackout": 2}
    assert Delivery.objects.filter(reason="blackout").first().rule == f"blackout.{blackout.pk}"
    send_all(NOW + timedelta(hours=23))
    assert proof.run_proof(Run.objects.get(message=message))["sent"] == 4


def test_a_blackout_with_an_unknown_zone_holds_when_any_zone_of_the_country_has_that_day(provider):
    people = make_people(1, country="US", time_zone="")
    wednesday = NOW.date()
    Blackout.objects.create(name="Silence", starts_on=wednesday, ends_on=wednesday, countries=["US"])
    message = make_message(people, send_at=NOW + timedelta(hours=19), send_until=NOW + timedelta(hours=20))
    send_all(NOW + timedelta(hours=19))  # 08:00 UTC on Thursday: still Wednesday in Honolulu
    assert refused(message) == {"blackout": 1}


def test_safety_ignores_blackouts(provider):
    Blackout.objects.create(name="Silence", starts_on=NOW.date(), ends_on=NOW.date(), includes_service=True)
    safety = Purpose.objects.create(code="recall", name="Recall", purpose_class="safety", needs_consent=False)
    message = make_message(make_people(2), purpose=safety)
    send_all()
    assert refused(message) == {}
